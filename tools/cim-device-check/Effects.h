// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Effects of mode `analog` (docs/Physics.md), to draw random chips from.
#ifndef CIM_DEVICECHECK_EFFECTS_H
#define CIM_DEVICECHECK_EFFECTS_H

#include <map>
#include <random>
#include <string>
#include <vector>

namespace cim::check {

/// A key of the target that switches an effect on.
struct Effect {
  const char *section, *key;
  // Either words of JSON to choose from,
  std::vector<const char *> words;
  // or a number: where it makes sense, and the largest that a target may say.
  float least = 0, most = 0, limit = 0;
  int count = 0; // of numbers in a list; 0: one number

  /// JSON; `absurd` values go up to the limit.
  std::string value(std::mt19937 &random, bool absurd) const;
};

/// All of them.
const std::vector<Effect> &allEffects();

/// The effects of one chip, as section, key and JSON.
using Chosen = std::map<std::string, std::map<std::string, std::string>>;

/// Few effects or many, so that each is also seen alone, and no two that
/// exclude each other.
Chosen chooseEffects(const std::vector<const Effect *> &among,
                     std::mt19937 &random, bool absurd);

/// Levels of a cell.
struct Levels {
  int lo = -1, hi = 1;
};

/// A target with these effects and 7-bit inputs.
std::string targetWith(Chosen chosen, Levels levels = {});

} // namespace cim::check

#endif // CIM_DEVICECHECK_EFFECTS_H
