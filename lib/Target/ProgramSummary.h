// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The facts of a program that reports show, counted once.
#ifndef CIM_LIB_TARGET_PROGRAMSUMMARY_H
#define CIM_LIB_TARGET_PROGRAMSUMMARY_H

#include "cim/Cost/Cost.h"
#include "mlir/IR/BuiltinOps.h"

namespace cim::report {

// Counts are those of MappingStatistics where it has them. They are doubles:
// exact up to 2^53, and no shape overflows a product.

/// A rectangle of cells of one array.
struct Rectangle {
  int64_t array, row, column, rows, columns;
  int64_t plane;
  int64_t matrixRow, matrixRows; ///< first and number, before `repeat`
  int64_t matrixColumn;
  float gain;
};

/// What one array does at once for one window: all blocks of a layer on the
/// same rows of one array that take the same rows of the matrix. Runs once per
/// window, which makes one MVM.
struct Activation {
  int64_t array = 0;
  double rows = 0, columns = 0;
  double cells = 0; ///< that hold a weight, not the 0 between groups
};

struct Layer {
  std::string symbol; ///< of the cim.layer
  std::string node;   ///< of the network; the symbol when it has no name
  int64_t matrixRows = 0, matrixColumns = 0, groups = 1, cellsPerWeight = 1;
  double windows = 0; ///< per image
  std::vector<Rectangle> blocks;
  std::vector<Activation> activations;

  double mvms = 0, macs = 0; ///< per image
  double cells = 0;          ///< of all blocks
  /// Share of the cells of an array that its mean MVM uses.
  double utilisation = 0;
  double seconds = 0;           ///< per image
  std::optional<double> joules; ///< per image
};

struct Array {
  std::string symbol;
  int64_t blocks = 0;
  double cells = 0;
};

/// An op of the network that runs on the host processor.
struct DigitalOp {
  std::string node, op;
  bool offersMatrix = false; ///< is a convolution or matrix product
  std::string reason; ///< why it has no array, when it could have had one
};

struct Program {
  std::string model;
  std::vector<Layer> layers;
  std::vector<Array> arrays;
  std::vector<DigitalOp> digital;
  double mvms = 0; ///< per image
  double cells = 0;
  double utilisation = 0; ///< share of the arrays' cells that blocks take

  /// Sums over the layers; joules are absent when the target has none.
  double macs() const;
  double seconds() const;
  std::optional<double> joules() const;
};

/// What a reader of a report must know about its energy and time.
extern const llvm::StringLiteral costAssumptions;

/// Counts. Fails as `makeReport` does, with a diagnostic.
llvm::FailureOr<Program> summarise(mlir::ModuleOp module, const Arch &arch);

} // namespace cim::report

#endif // CIM_LIB_TARGET_PROGRAMSUMMARY_H
