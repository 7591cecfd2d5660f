// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How many levels the cells of a weight have, split by split, and what they
// add up to: docs/Numerics.md section 2. Cells hold -limit to limit.
#ifndef CIM_DIALECT_CIM_IR_SPLITS_H
#define CIM_DIALECT_CIM_IR_SPLITS_H

#include "cim/Dialect/CIM/IR/CIM.h"
#include "llvm/Support/CommandLine.h"

namespace cim {

/// Integers of 8 bits hold the weights of every split.
constexpr int64_t maxLevels = 127;

/// Their names for the command line, and what it says of them.
inline llvm::cl::ValuesClass splitNames() {
  return llvm::cl::values(
      clEnumValN(Split::Auto, "auto",
                 "radix, magnitude or equal, by layer: what calibration "
                 "expects to lose least"),
      clEnumValN(Split::Radix, "radix",
                 "balanced digits in columns of their own, added digitally: "
                 "the most levels"),
      clEnumValN(Split::Magnitude, "magnitude",
                 "digits of one sign (-7..7 of three ternary cells): fewer "
                 "levels, less noise"),
      clEnumValN(Split::Equal, "equal",
                 "cells that count the same, in columns of their own: fewest "
                 "levels, least noise"),
      clEnumValN(Split::Unary, "unary",
                 "equal cells on neighbouring rows, added on the column"),
      clEnumValN(Split::Residual, "residual",
                 "ternary planes with a real scale per channel"));
}

/// What a cell counts, relative to the one before. Not for `auto` and
/// `residual`.
int64_t getSplitBase(Split split, int64_t limit);

/// The largest magnitude that `cells` hold; some number above `maxLevels` when
/// it is more than that. Not for `auto` and `residual`.
int64_t getCapacity(Split split, int64_t cells, int64_t limit);

/// The fewest cells that hold magnitudes up to `levels`.
int64_t countCells(Split split, int64_t levels, int64_t limit);

/// The splits that `auto` stands for whose `cells` hold no more than
/// `maxLevels`, those with most levels first; `split` itself when it is another
/// one.
llvm::SmallVector<Split, 3> getSplitChoices(Split split, int64_t cells,
                                            int64_t limit);

/// The largest magnitude of the first of them, `maxLevels` for `residual`; more
/// than `maxLevels` where there are none.
int64_t getMostLevels(Split split, int64_t cells, int64_t limit);

/// What `auto` means for integers up to `levels` where `cells` are asked for:
/// the first of `equal`, `magnitude`, `radix` that needs no more of them than
/// asked for, or than `radix` needs. One cell is `radix`. Other splits are what
/// they are.
Split resolveSplit(Split split, int64_t levels, int64_t cells, int64_t limit);

/// The numbers that cells of `planes` x rows x columns stand for: sums of what
/// they hold times `significance`, rows of `columns`, each for equally many
/// planes.
std::vector<double> addPlanes(llvm::ArrayRef<int8_t> cells, int64_t planes,
                              llvm::ArrayRef<float> significance,
                              int64_t columns);

} // namespace cim

#endif // CIM_DIALECT_CIM_IR_SPLITS_H
