// Routes of prefixes that are kept in files.
#include "serve/api.hpp"
#include "serve/checked_json.hpp"

namespace ponder {
namespace {

constexpr std::string_view kFolder = "/prefixes/";

HttpError off() {
  return {.status = 403,
          .message = "this server keeps no prefixes; start it with --prefix-folder DIR",
          .code = "prefixes_off"};
}

OrderedJson prefix_json(const std::string& model, const std::string& name) {
  return {{"id", model + "/" + name}, {"object", "prefix"}, {"model", model}, {"name", name}};
}

// What conversations that begin so have in common: without the mark that an answer begins.
Result<std::vector<int32_t>> prefix_tokens(const OrderedJson& body, const ServedModel& model) {
  const OrderedJson* prompt = field_of(body, "prompt");
  if ((prompt == nullptr) == (field_of(body, "messages") == nullptr))
    return Failure{{.what = "give either prompt or messages", .where = "prompt"}};
  std::vector<int32_t> tokens;
  std::string field = "prompt";
  if (prompt != nullptr) {
    const TextOrTokens text = prompt->is_string() ? TextOrTokens(prompt->get<std::string>())
                                                  : TextOrTokens(tokens_of(*prompt));
    tokens = PONDER_TRY(tokens_of_text(text, model.tokenizer, field));
  } else {
    field = "messages";
    ChatRequest request = PONDER_TRY(parse_chat_request(body));
    request.add_generation_prompt = false;
    tokens = PONDER_TRY(chat_tokens(request, model));
  }
  PONDER_TRY(check_length(std::ssize(tokens), model, field));
  if (tokens.empty()) return Failure{{.what = "is empty", .where = field}};
  return tokens;
}

}  // namespace

void Api::save_prefix(const Exchange& exchange) {
  auto body = parse_body(exchange->request().body, "PrefixRequest");
  if (!body.ok()) return refuse(exchange, request_error(body.error()));
  if (!prefixes_.on()) return refuse(exchange, off());
  const std::string name = text_in(body.value(), "name");
  const std::string wanted = text_in(body.value(), "model");  // before the body is moved away
  with_model(wanted, exchange,
             [this, exchange, name,
              body = std::move(body).take_value()](std::shared_ptr<const ServedModel> model) {
               auto tokens = prefix_tokens(body, *model);
               if (!tokens.ok()) return refuse(exchange, request_error(tokens.error()));
               OrderedJson answer = prefix_json(model->name, name);
               prefixes_.save(std::move(model), name, std::move(tokens).take_value(),
                              [exchange, answer](const Result<int64_t>& saved) mutable {
                                if (!saved.ok()) {
                                  HttpError error = request_error(saved.error());
                                  if (error.param != "name") error.status = 503;
                                  return refuse(exchange, std::move(error));
                                }
                                answer["tokens"] = saved.value();
                                exchange->respond({.body = json_line(answer)});
                              });
             });
}

void Api::list_prefixes(const Exchange& exchange) {
  if (!prefixes_.on()) return refuse(exchange, off());
  OrderedJson list = OrderedJson::array();
  for (const StoredPrefixFile& file : prefixes_.list()) {
    OrderedJson entry = prefix_json(file.model, file.name);
    entry["bytes"] = file.bytes;
    list.push_back(std::move(entry));
  }
  exchange->respond({.body = json_line({{"object", "list"}, {"data", std::move(list)}})});
}

void Api::delete_prefix(const Exchange& exchange) {
  if (!prefixes_.on()) return refuse(exchange, off());
  const std::string& path = exchange->request().path;
  const std::string id = path.substr(path.find(kFolder) + kFolder.size());
  const size_t slash = id.rfind('/');
  if (slash == std::string::npos ||
      !prefixes_.remove(std::string_view(id).substr(0, slash), id.substr(slash + 1)))
    return refuse(exchange, {.status = 404,
                             .message = "there is no such prefix; /v1/prefixes lists them",
                             .code = "not_found"});
  exchange->respond({.body = json_line({{"id", id}, {"object", "prefix"}, {"deleted", true}})});
}

}  // namespace ponder
