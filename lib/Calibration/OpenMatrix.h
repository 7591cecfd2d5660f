// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A matrix whose integers calibration chooses, and ways to write it.
#ifndef CIM_LIB_CALIBRATION_OPENMATRIX_H
#define CIM_LIB_CALIBRATION_OPENMATRIX_H

#include "ErrorCompensation.h"
#include "cim/Dialect/CIM/IR/CIM.h"

namespace cim {

/// A way to write the weights of a matrix.
struct SplitChoice {
  Split split = Split::Radix;
  int64_t levels = 1;
  CellModel cells;
  /// The integers next to the weights.
  LayerCodes nearest;
};

/// A matrix that calibration is to choose the integers of.
struct OpenMatrix {
  int64_t groups = 1;
  /// Largest magnitude of a cell.
  int64_t cellLimit = 1;
  /// All with equally many cells; at least one.
  std::vector<SplitChoice> choices;
  ReadLosses losses;
  /// What the integers stand for, rows x columns.
  Eigen::MatrixXf weights;
  /// The choice, integers and scales so far.
  size_t chosen = 0;
  LayerCodes found;
  bool isDecided = false;
  /// The next run shows what the integers are to be chosen by, whether there
  /// are some or not.
  bool isGathering = false;
  /// Of every group, what its layers read and should make of it.
  std::vector<LayerMoments> moments;

  Eigen::MatrixXd weightsOf(int64_t group) const;
  /// By choice, the integers that fit what all layers saw, which is then
  /// forgotten.
  std::vector<LayerCodes> compensate();
  void take(size_t choice, LayerCodes codes);
  /// Takes the choice that should lose least.
  void decide();
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_OPENMATRIX_H
