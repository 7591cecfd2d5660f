// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the errors of a matrix's integers cost, whatever cells hold them.
#ifndef CIM_LIB_CALIBRATION_ERRORMETRIC_H
#define CIM_LIB_CALIBRATION_ERRORMETRIC_H

#include "RowParts.h"
#include <Eigen/Dense>
#include <vector>

namespace cim {

/// What calibration knows of K inputs that N output channels read, as sums over
/// `count` windows, means taken off.
struct LayerMoments {
  double count = 0;
  /// Of every part of the rows (RowParts), input by input.
  std::vector<Eigen::MatrixXd> inputs;
  /// K x N, input by what its part should make of the channel.
  Eigen::MatrixXd targets;
  /// Like `inputs` with means left in.
  std::vector<Eigen::MatrixXd> powers;

  /// Adds what was seen elsewhere.
  void add(LayerMoments other);
};

/// What reading cells loses.
struct ReadLosses {
  /// Variance of a conversion, relative to the mean square of what it converts.
  double converter = 0;
  /// Variance of a cell's contribution, relative to its square.
  double cell = 0;
};

/// The quadratic error of integers for `weights` (K x N), and what rounding
/// needs to know of it (docs/Accuracy.md, whose names are used here).
class ErrorMetric {
public:
  /// Rows that make up for each other's errors; all others are left out here.
  struct Part {
    using RowMajorMatrix =
        Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

    Eigen::Index begin, rows;
    double lambda;
    Eigen::MatrixXd inputs; // A
    Eigen::MatrixXd powers; // R, times the loss of a conversion
    RowMajorMatrix upper;   // U, in `order`
    std::vector<Eigen::Index> order;
  };

  /// With `isTernary` integers are single ternary cells, so that all losses are
  /// quadratic in the integers themselves, and a part of A.
  ErrorMetric(LayerMoments moments, const Eigen::MatrixXd &weights,
              const ReadLosses &losses, bool isTernary);

  /// Inputs that never vary tell nothing.
  bool isBlind() const;

  /// The matrix that has `which` of every part on its diagonal, times `x`.
  Eigen::MatrixXd multiply(Eigen::MatrixXd Part::*which,
                           const Eigen::MatrixXd &x) const;

  Eigen::Index rows;
  bool isTernary;
  std::vector<Part> parts;
  Eigen::MatrixXd targets;    // B
  Eigen::VectorXd cellPowers; // diagonal of R, times the loss of a cell
  Eigen::MatrixXd corrected;  // W* = A^-1 B

private:
  void addPart(Eigen::Index begin, Eigen::MatrixXd inputs,
               Eigen::MatrixXd powers, double count,
               const Eigen::MatrixXd &weights, const ReadLosses &losses);
  /// The corrected weights of a part, and what errors need.
  void factorise(Part &part);
};

/// What fits into the caches of a machine must not decide in which order Eigen
/// adds up: to be called before its products, while no other thread computes.
void fixOrderOfSums();

} // namespace cim

#endif // CIM_LIB_CALIBRATION_ERRORMETRIC_H
