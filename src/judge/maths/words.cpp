#include "judge/maths/words.hpp"

#include <algorithm>
#include <iterator>

namespace ponder {
namespace {

constexpr auto kLetter = MathTokenKind::kLetter;
constexpr auto kConstant = MathTokenKind::kConstant;
constexpr auto kFunction = MathTokenKind::kFunction;
constexpr auto kSymbol = MathTokenKind::kSymbol;
constexpr auto kWord = MathTokenKind::kWord;

// Both in plain text and as commands.
constexpr NamedMaths kNames[] = {
    {"sin", kFunction, "sin"},
    {"cos", kFunction, "cos"},
    {"tan", kFunction, "tan"},
    {"cot", kFunction, "cot"},
    {"sec", kFunction, "sec"},
    {"csc", kFunction, "csc"},
    {"arcsin", kFunction, "asin"},
    {"arccos", kFunction, "acos"},
    {"arctan", kFunction, "atan"},
    {"sinh", kFunction, "sinh"},
    {"cosh", kFunction, "cosh"},
    {"tanh", kFunction, "tanh"},
    {"ln", kFunction, "ln"},
    {"log", kFunction, "log"},
    {"exp", kFunction, "exp"},
    {"sqrt", kFunction, "sqrt"},
    {"gcd", kFunction, "gcd"},
    {"lcm", kFunction, "lcm"},
    {"max", kFunction, "max"},
    {"min", kFunction, "min"},
    {"det", kFunction, "opaque det"},
    {"lim", kFunction, "opaque lim"},
    {"pi", kConstant, "pi"},
    {"alpha", kLetter, "alpha"},
    {"beta", kLetter, "beta"},
    {"gamma", kLetter, "gamma"},
    {"delta", kLetter, "delta"},
    {"epsilon", kLetter, "epsilon"},
    {"theta", kLetter, "theta"},
    {"lambda", kLetter, "lambda"},
    {"mu", kLetter, "mu"},
    {"rho", kLetter, "rho"},
    {"sigma", kLetter, "sigma"},
    {"tau", kLetter, "tau"},
    {"phi", kLetter, "phi"},
    {"psi", kLetter, "psi"},
    {"omega", kLetter, "omega"},
};

constexpr NamedMaths kPlain[] = {
    {"asin", kFunction, "asin"},
    {"acos", kFunction, "acos"},
    {"atan", kFunction, "atan"},
    {"cbrt", kFunction, "cbrt"},
    {"abs", kFunction, "abs"},
    {"floor", kFunction, "floor"},
    {"ceil", kFunction, "ceil"},
    {"inf", kConstant, "infinity"},
    {"infty", kConstant, "infinity"},
    {"infinity", kConstant, "infinity"},
    {"oo", kConstant, "infinity"},
    {"and", kSymbol, "and"},
    {"or", kSymbol, "or"},
    {"in", kSymbol, "in"},
    {"mod", kSymbol, "mod"},
    {"union", kSymbol, "union"},
};

constexpr NamedMaths kCommands[] = {
    {"frac", kFunction, "frac"},
    {"dfrac", kFunction, "frac"},
    {"tfrac", kFunction, "frac"},
    {"cfrac", kFunction, "frac"},
    {"binom", kFunction, "binom"},
    {"dbinom", kFunction, "binom"},
    {"tbinom", kFunction, "binom"},
    {"sum", kFunction, "opaque sum"},
    {"prod", kFunction, "opaque prod"},
    {"int", kFunction, "opaque int"},
    {"overline", kFunction, "mark overline"},
    {"vec", kFunction, "mark vec"},
    {"hat", kFunction, "mark hat"},
    {"infty", kConstant, "infinity"},
    {"emptyset", kConstant, "empty"},
    {"varnothing", kConstant, "empty"},
    {"varepsilon", kLetter, "epsilon"},
    {"varphi", kLetter, "phi"},
    {"ell", kLetter, "ell"},
    {"Gamma", kLetter, "Gamma"},
    {"Delta", kLetter, "Delta"},
    {"Theta", kLetter, "Theta"},
    {"Lambda", kLetter, "Lambda"},
    {"Sigma", kLetter, "Sigma"},
    {"Phi", kLetter, "Phi"},
    {"Omega", kLetter, "Omega"},
    {"times", kSymbol, "*"},
    {"cdot", kSymbol, "*"},
    {"ast", kSymbol, "*"},
    {"div", kSymbol, "/"},
    {"pm", kSymbol, "+-"},
    {"mp", kSymbol, "-+"},
    {"le", kSymbol, "<="},
    {"leq", kSymbol, "<="},
    {"leqslant", kSymbol, "<="},
    {"ge", kSymbol, ">="},
    {"geq", kSymbol, ">="},
    {"geqslant", kSymbol, ">="},
    {"lt", kSymbol, "<"},
    {"gt", kSymbol, ">"},
    {"ne", kSymbol, "!="},
    {"neq", kSymbol, "!="},
    {"approx", kSymbol, "approx"},
    {"sim", kSymbol, "approx"},
    {"equiv", kSymbol, "equiv"},
    {"in", kSymbol, "in"},
    {"cup", kSymbol, "union"},
    {"cap", kSymbol, "intersection"},
    {"setminus", kSymbol, "minus"},
    {"backslash", kSymbol, "minus"},
    {"mid", kSymbol, "mid"},
    {"colon", kSymbol, ":"},
    {"lvert", kSymbol, "|"},
    {"rvert", kSymbol, "|"},
    {"vert", kSymbol, "|"},
    {"lbrace", kSymbol, "\\{"},
    {"rbrace", kSymbol, "\\}"},
    {"lfloor", kSymbol, "lfloor"},
    {"rfloor", kSymbol, "rfloor"},
    {"lceil", kSymbol, "lceil"},
    {"rceil", kSymbol, "rceil"},
    {"langle", kSymbol, "("},
    {"rangle", kSymbol, ")"},
    {"circ", kSymbol, "circ"},
    {"degree", kSymbol, "degree"},
    {"prime", kSymbol, "'"},
    {"ldots", kSymbol, "dots"},
    {"dots", kSymbol, "dots"},
    {"cdots", kSymbol, "dots"},
    {"pmod", kSymbol, "pmod"},
    {"bmod", kSymbol, "mod"},
    {"choose", kSymbol, "choose"},
    {"land", kSymbol, "and"},
    {"wedge", kSymbol, "and"},
    {"lor", kSymbol, "or"},
    {"vee", kSymbol, "or"},
    {"forall", kWord, "forall"},
    {"exists", kWord, "exists"},
    {"to", kWord, "to"},
    {"rightarrow", kWord, "to"},
    {"implies", kWord, "implies"},
};

constexpr std::string_view kSpacing[] = {
    "left",  "right", "big",    "Big",     "bigg",     "Bigg",         "bigl",      "bigr",
    "Bigl",  "Bigr",  "quad",   "qquad",   "space",    "displaystyle", "textstyle", "limits",
    "boxed", "fbox",  "hspace", "phantom", "mathopen", "mathclose",    "middle",    "scriptstyle"};
constexpr std::string_view kText[] = {"text",   "mathrm", "textbf",       "mbox",   "textit",
                                      "mathit", "textrm", "operatorname", "mathsf", "rm",
                                      "bf",     "hbox",   "texttt",       "textsf", "boldsymbol"};

constexpr UnicodeMaths kUnicode[] = {
    {"−", kSymbol, "-"},
    {"–", kSymbol, "-"},
    {"—", kSymbol, "-"},
    {"×", kSymbol, "*"},
    {"·", kSymbol, "*"},
    {"⋅", kSymbol, "*"},
    {"∙", kSymbol, "*"},
    {"÷", kSymbol, "/"},
    {"⁄", kSymbol, "/"},
    {"±", kSymbol, "+-"},
    {"∓", kSymbol, "-+"},
    {"≤", kSymbol, "<="},
    {"≥", kSymbol, ">="},
    {"≠", kSymbol, "!="},
    {"≈", kSymbol, "approx"},
    {"≡", kSymbol, "equiv"},
    {"∈", kSymbol, "in"},
    {"∪", kSymbol, "union"},
    {"∩", kSymbol, "intersection"},
    {"∖", kSymbol, "minus"},
    {"…", kSymbol, "dots"},
    {"⋯", kSymbol, "dots"},
    {"°", kSymbol, "degree"},
    {"⟨", kSymbol, "("},
    {"⟩", kSymbol, ")"},
    {"∣", kSymbol, "|"},
    {"′", kSymbol, "'"},
    {"∞", kConstant, "infinity"},
    {"π", kConstant, "pi"},
    {"∅", kConstant, "empty"},
    {"ℝ", kConstant, "reals"},
    {"ℤ", kConstant, "integers"},
    {"ℕ", kConstant, "naturals"},
    {"ℚ", kConstant, "rationals"},
    {"ℂ", kConstant, "complex"},
    {"√", kFunction, "sqrt"},
    {"∛", kFunction, "cbrt"},
    {"α", kLetter, "alpha"},
    {"β", kLetter, "beta"},
    {"γ", kLetter, "gamma"},
    {"δ", kLetter, "delta"},
    {"θ", kLetter, "theta"},
    {"λ", kLetter, "lambda"},
    {"μ", kLetter, "mu"},
    {"φ", kLetter, "phi"},
    {"ω", kLetter, "omega"},
    {"σ", kLetter, "sigma"},
    {"⁰", kSymbol, "^0"},
    {"¹", kSymbol, "^1"},
    {"²", kSymbol, "^2"},
    {"³", kSymbol, "^3"},
    {"⁴", kSymbol, "^4"},
    {"⁵", kSymbol, "^5"},
    {"⁶", kSymbol, "^6"},
    {"⁷", kSymbol, "^7"},
    {"⁸", kSymbol, "^8"},
    {"⁹", kSymbol, "^9"},
    {"\u00a0", MathTokenKind::kEnd, ""},
    {"\u2009", MathTokenKind::kEnd, ""},
    {"\u202f", MathTokenKind::kEnd, ""},
    {"€", kWord, "euro"},
    {"£", kWord, "pound"},
    {"，", kSymbol, ","},
};

constexpr Unit kUnits[] = {
    {"m", "length", 1, 1},
    {"meter", "length", 1, 1},
    {"metre", "length", 1, 1},
    {"km", "length", 1000, 1},
    {"kilometer", "length", 1000, 1},
    {"cm", "length", 1, 100},
    {"centimeter", "length", 1, 100},
    {"centimetre", "length", 1, 100},
    {"mm", "length", 1, 1000},
    {"millimeter", "length", 1, 1000},
    {"inch", "length", 254, 10000},
    {"foot", "length", 3048, 10000},
    {"ft", "length", 3048, 10000},
    {"yard", "length", 9144, 10000},
    {"mile", "length", 1609344, 1000},
    {"g", "mass", 1, 1000},
    {"gram", "mass", 1, 1000},
    {"kg", "mass", 1, 1},
    {"kilogram", "mass", 1, 1},
    {"mg", "mass", 1, 1000000},
    {"s", "time", 1, 1},
    {"sec", "time", 1, 1},
    {"second", "time", 1, 1},
    {"min", "time", 60, 1},
    {"minute", "time", 60, 1},
    {"h", "time", 3600, 1},
    {"hr", "time", 3600, 1},
    {"hour", "time", 3600, 1},
    {"day", "time", 86400, 1},
    {"week", "time", 604800, 1},
    {"L", "volume", 1, 1},
    {"liter", "volume", 1, 1},
    {"litre", "volume", 1, 1},
    {"ml", "volume", 1, 1000},
    {"mL", "volume", 1, 1000},
    {"dollar", "dollar", 1, 1},
    {"cent", "dollar", 1, 100},
    {"euro", "euro", 1, 1},
    {"pound", "pound", 1, 1},
    {"degree", "angle", 1, 1},
    {"%", "percent", 1, 1},
    {"percent", "percent", 1, 1},
};

constexpr std::string_view kShortWords[] = {
    "no",  "yes", "dne", "the", "is",  "an", "of", "to",  "odd", "not", "all", "two", "one", "six",
    "ten", "for", "if",  "are", "per", "be", "it", "sat", "sun", "mon", "tue", "wed", "thu", "fri",
    "red", "cat", "dog", "boy", "km",  "cm", "mm", "kg",  "mg",  "ft",  "hr",  "ml",  "sec", "min",
    "day", "pm",  "am",  "as",  "at",  "by", "so", "we",  "mph", "kph", "sq",  "cu",  "deg"};

template <size_t N>
const NamedMaths* find_in(const NamedMaths (&names)[N], std::string_view name) {
  const auto* found = std::find_if(std::begin(names), std::end(names),
                                   [&](const NamedMaths& one) { return one.name == name; });
  return found == std::end(names) ? nullptr : found;
}

template <size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

const Unit* exact_unit(std::string_view name) {
  const auto* found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const Unit& unit) { return unit.name == name; });
  return found == std::end(kUnits) ? nullptr : found;
}

}  // namespace

const NamedMaths* find_named(std::string_view word) {
  const NamedMaths* found = find_in(kNames, word);
  return found != nullptr ? found : find_in(kPlain, word);
}

const NamedMaths* find_command(std::string_view name) {
  const NamedMaths* found = find_in(kCommands, name);
  return found != nullptr ? found : find_in(kNames, name);
}

bool is_spacing_command(std::string_view name) { return is_in(kSpacing, name); }
bool is_text_command(std::string_view name) { return is_in(kText, name); }

const UnicodeMaths* find_unicode(std::string_view text) {
  const auto* found =
      std::find_if(std::begin(kUnicode), std::end(kUnicode),
                   [&](const UnicodeMaths& one) { return text.starts_with(one.text); });
  return found == std::end(kUnicode) ? nullptr : found;
}

const Unit* find_unit(std::string_view name) {
  if (name == "feet") name = "foot";
  if (name == "inches") name = "inch";
  if (const Unit* found = exact_unit(name)) return found;
  const bool plural = name.size() > 2 && name.back() == 's';
  return plural ? exact_unit(name.substr(0, name.size() - 1)) : nullptr;
}

bool is_known_word(std::string_view word) { return is_in(kShortWords, word); }

}  // namespace ponder
