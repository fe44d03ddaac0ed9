// The tasks by their making. Others use find_task() of judge/problem.hpp.
#pragma once

#include <memory>

#include "base/rng.hpp"
#include "judge/problem.hpp"

namespace ponder {

// What is 37+48? Whole numbers, by levels: sums of one digit, of two, of three; products of a digit
// and two digits, of two and two; quotients that come out even; two operations in brackets; short
// stories of two operations.
std::unique_ptr<const Task> make_arithmetic_task();
// a=3; b=a+4; c=b-2; … then one of them is asked for. Level n has n+2 assignments, and from level 3
// on they stand in any order.
std::unique_ptr<const Task> make_chain_task();
// An expression with the value `extra.target` that uses each of `extra.numbers` at most once.
// Level n has n+3 numbers. `answer` is one of the expressions.
std::unique_ptr<const Task> make_countdown_task();
// The last digit, from 0 to 9, of an expression with + - * and brackets: (0+(5-8))*3 gives 1.
// Level n has n+1 operations on one-digit numbers.
std::unique_ptr<const Task> make_modular_task();
// Any answer in mathematical notation, by judge/maths. No generator.
std::unique_ptr<const Task> make_maths_task();
// One of `extra.choices`, a list of texts; `answer` is its letter. No generator.
std::unique_ptr<const Task> make_choice_task();
// A program. `extra`: see code.cpp. No generator.
std::unique_ptr<const Task> make_code_task();

// The draws of one problem. `salt` tells tasks apart.
inline Rng problem_rng(uint64_t salt, uint64_t seed, uint64_t index, int level) {
  return Rng(seed ^ (salt * 0x9e3779b97f4a7c15), index * 64 + static_cast<uint64_t>(level));
}

// task-level-seed-index
std::string problem_id(std::string_view task, uint64_t seed, uint64_t index, int level);

// Extracts the answer and compares it with problem.answer as mathematics. Units do not count.
Judgement judge_as_maths(const Problem& problem, std::string_view text);

// A Judgement for a text without an answer: says whether it broke off.
Judgement no_answer(bool unfinished);

}  // namespace ponder
