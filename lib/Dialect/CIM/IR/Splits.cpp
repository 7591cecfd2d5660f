// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Levels and cells of splits.
#include "cim/Dialect/CIM/IR/Splits.h"
#include <cassert>

using namespace cim;

int64_t cim::getSplitBase(Split split, int64_t limit) {
  switch (split) {
  case Split::Radix:
    return 2 * limit + 1;
  case Split::Magnitude:
    return limit + 1;
  default:
    return 1;
  }
}

int64_t cim::getCapacity(Split split, int64_t cells, int64_t limit) {
  int64_t levels = 0, power = 1;
  for (int64_t i = 0; i < cells && levels <= maxLevels; ++i) {
    levels += limit * power;
    power *= getSplitBase(split, limit);
  }
  return levels;
}

int64_t cim::countCells(Split split, int64_t levels, int64_t limit) {
  assert(levels <= maxLevels && "no number of cells counts further");
  int64_t cells = 1;
  while (getCapacity(split, cells, limit) < levels)
    ++cells;
  return cells;
}

llvm::SmallVector<Split, 3> cim::getSplitChoices(Split split, int64_t cells,
                                                 int64_t limit) {
  if (split != Split::Auto)
    return {split};
  llvm::SmallVector<Split, 3> choices;
  for (Split choice : {Split::Radix, Split::Magnitude, Split::Equal})
    if (getCapacity(choice, cells, limit) <= maxLevels)
      choices.push_back(choice);
  if (cells == 1) // they are all the same
    choices.truncate(1);
  return choices;
}

int64_t cim::getMostLevels(Split split, int64_t cells, int64_t limit) {
  if (split == Split::Residual)
    return maxLevels;
  llvm::SmallVector<Split> choices = getSplitChoices(split, cells, limit);
  return choices.empty() ? maxLevels + 1
                         : getCapacity(choices.front(), cells, limit);
}

Split cim::resolveSplit(Split split, int64_t levels, int64_t cells,
                        int64_t limit) {
  if (split != Split::Auto)
    return split;
  int64_t needed = countCells(Split::Radix, levels, limit);
  if (needed == 1)
    return Split::Radix;
  int64_t most = std::max(needed, cells);
  for (Split choice : {Split::Equal, Split::Magnitude})
    if (countCells(choice, levels, limit) <= most)
      return choice;
  return Split::Radix;
}

std::vector<double> cim::addPlanes(llvm::ArrayRef<int8_t> cells, int64_t planes,
                                   llvm::ArrayRef<float> significance,
                                   int64_t columns) {
  int64_t size = cells.size() / planes,
          repeat = planes * columns / significance.size();
  std::vector<double> sums(size);
  for (int64_t p = 0; p < planes; ++p)
    for (int64_t i = 0; i < size; ++i)
      sums[i] += double(significance[p / repeat * columns + i % columns]) *
                 cells[p * size + i];
  return sums;
}
