// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integers for the weights of a layer, such that the errors that they make
// compensate each other (docs/Accuracy.md).
#ifndef CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H
#define CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H

#include <Eigen/Dense>

namespace cim {

/// What calibration knows of K inputs that N output channels read, as sums over
/// `count` windows, means taken off.
struct LayerMoments {
  double count = 0;
  Eigen::MatrixXd inputs;  ///< K x K, input by input
  Eigen::MatrixXd targets; ///< K x N, input by what the channel should be

  /// Adds what was seen elsewhere.
  void add(const LayerMoments &other);
};

/// Integers and the scale of every column: a weight is `codes * scales`.
struct LayerCodes {
  Eigen::MatrixXd codes;     ///< K x N, integers
  Eigen::RowVectorXd scales; ///< N
};

/// Integers in [-levels, levels] for `weights` (K x N) with less quadratic
/// error of the channels than `start` has. Uses all cores; the result does not
/// depend on how many.
LayerCodes compensateErrors(const LayerMoments &moments,
                            const Eigen::MatrixXd &weights, double levels,
                            LayerCodes start);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_ERRORCOMPENSATION_H
