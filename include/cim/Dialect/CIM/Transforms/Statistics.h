// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a program uses its arrays, counted on program-level IR.
#ifndef CIM_DIALECT_CIM_TRANSFORMS_STATISTICS_H
#define CIM_DIALECT_CIM_TRANSFORMS_STATISTICS_H

#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace cim {

struct LayerStatistics {
  std::string symbol;
  int64_t cellsPerWeight = 0;
  /// Cells that its blocks take, those between groups included.
  int64_t cells = 0;
  /// MVMs of one window. An MVM is one activation of one array: blocks of a
  /// layer that lie on the same rows of the same array and take the same rows
  /// of the matrix (planes, column cuts) are one, since they see the same
  /// inputs at the same time.
  int64_t mvmsPerWindow = 0;
  int64_t windowsPerImage = 0; ///< out_h * out_w
};

struct MappingStatistics {
  std::vector<LayerStatistics> layers; ///< in the order of the module
  int64_t arrays = 0;
  /// Cells of all arrays that some block takes; layers that share a matrix
  /// share its cells.
  int64_t cellsUsed = 0;
  /// Sum over layers of mvmsPerWindow * windowsPerImage.
  int64_t mvmsPerImage = 0;

  /// Share of the cells of the arrays in use that blocks take, 0 to 1, for
  /// arrays of `rows` x `columns`; 0 without arrays.
  double utilisation(int64_t rows, int64_t columns) const;
};

/// Counts a program-level module (after `cim-build-program`); blocks without a
/// place count as cells, not as MVMs.
MappingStatistics computeMappingStatistics(mlir::ModuleOp module);

} // namespace cim

#endif // CIM_DIALECT_CIM_TRANSFORMS_STATISTICS_H
