// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrices whose cells are real numbers, parameters of a tuning program.
#ifndef CIM_LIB_CALIBRATION_REALCELLS_H
#define CIM_LIB_CALIBRATION_REALCELLS_H

#include "cim/Arch/Arch.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/NN/Transforms/TensorBuilder.h"
#include "mlir/IR/BuiltinOps.h"

namespace cim {

struct TunedLayer;

/// What converters read of a plane at a time: some rows, all columns.
struct Conversion {
  int64_t k, count;         // rows
  std::vector<float> gains; // of each column
};

/// A matrix whose cells are tuned.
struct TunedMatrix {
  MatrixOp op;
  int64_t planes, groups;
  int64_t rows, columns;           // of a group
  double limit;                    // cells lie between -limit and limit
  std::vector<float> significance; // planes x groups x columns
  std::vector<llvm::SmallVector<Conversion, 1>> conversions; // by plane
  std::vector<double> cells; // planes x groups x rows x columns

  int64_t cellsPerPlane() const { return groups * rows * columns; }
};

/// The matrices whose cells can be tuned, in the order in which `layers`, all
/// of a module (matrices tiled, with gains), use them: each cell has a column
/// of its own, planes are digits, every layer that uses the matrix is tuned,
/// and no group of rows is cut into blocks.
llvm::FailureOr<std::vector<TunedMatrix>>
collectTunedMatrices(llvm::ArrayRef<TunedLayer> layers, const Arch &arch);

/// Builds what `op` makes of its windows before the epilogue, in float, from
/// the cells of each plane of its matrix (1 x number of cells).
mlir::Value buildSums(nn::TensorBuilder &b, MvmOp op, const TunedMatrix &matrix,
                      const Arch &arch, mlir::ValueRange planes);

/// Rounds `cells` and puts them into the matrix.
llvm::LogicalResult setCells(const TunedMatrix &matrix,
                             llvm::ArrayRef<double> cells);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_REALCELLS_H
