// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integers for the weights of a layer, such that the errors that they make
// compensate each other (docs/Accuracy.md).
#ifndef CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H
#define CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H

#include "ErrorMetric.h"

namespace cim {

/// How integers become cells.
struct CellModel {
  double levels = 1; ///< integers are in [-levels, levels]
  /// Of every plane, its significance.
  Eigen::VectorXd significance;
  /// Planes x (2 levels + 1): what integer i - levels adds to the plane's sum,
  /// at row k of its group number k mod size.
  std::vector<Eigen::MatrixXd> digits;
  /// Sum over the cells of the integer: square of cell times significance.
  Eigen::VectorXd energy;

  Eigen::Index indexOf(double code) const {
    return static_cast<Eigen::Index>(code + levels);
  }
  const Eigen::MatrixXd &digitsAt(Eigen::Index row) const {
    return digits[row % digits.size()];
  }
};

/// Integers and the scale of every column: a weight is `codes * scales`.
struct LayerCodes {
  /// K x N.
  Eigen::Matrix<int8_t, Eigen::Dynamic, Eigen::Dynamic> codes;
  Eigen::RowVectorXd scales; ///< N
  /// Sum over the channels: variance of the targets that they explain, less
  /// what is lost in cells and converters.
  double explained = 0;
  /// The part of that loss that cells cause where integers have several.
  double lostInCells = 0;
};

/// Integers with less quadratic error of the channels than `start` has. Uses
/// all cores; the result does not depend on how many.
LayerCodes compensateErrors(const ErrorMetric &metric, const CellModel &cells,
                            LayerCodes start);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H
