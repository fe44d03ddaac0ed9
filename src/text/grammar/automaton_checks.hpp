// What must hold of an automaton before it may run: no left recursion, and how deep each state's
// way to the end is.
#pragma once

#include <span>
#include <string>

#include "text/grammar/automaton.hpp"

namespace ponder {

// Fails if a rule can call itself before anything was read. `names`: of the rules, for the error;
// "" for those without.
Result<void> check_left_recursion(const Automaton& automaton, std::span<const std::string> names);

// Fills `needs`.
void find_needs(Automaton& automaton);

}  // namespace ponder
