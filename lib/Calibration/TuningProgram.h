// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A mapped network as a function of its scales, biases and cells.
#ifndef CIM_LIB_CALIBRATION_TUNINGPROGRAM_H
#define CIM_LIB_CALIBRATION_TUNINGPROGRAM_H

#include "RealCells.h"
#include "mlir/IR/BuiltinOps.h"
#include <optional>
#include <vector>

namespace cim {

/// A layer's scales and biases before, and the unit of a bias' change: the
/// deviation of each channel. In units of the layer's result as it is stored.
struct TunedLayer {
  MvmOp op;
  std::vector<double> scale, bias;
  /// Empty for a layer that arrived quantised: it stays as it is.
  std::vector<double> deviation;

  bool isTuned() const { return !deviation.empty(); }
  size_t parameterCount() const { return 2 * deviation.size(); }
};

/// What is tuned of a network: its layers in program order, and matrices.
struct TunedNetwork {
  std::vector<TunedLayer> layers;
  std::vector<TunedMatrix> matrices;

  /// Parameters for scales and biases, and for cells.
  int64_t countTables() const {
    int64_t count = 0;
    for (const TunedLayer &layer : layers)
      count += layer.parameterCount();
    return count;
  }
  int64_t countCells() const {
    int64_t count = 0;
    for (const TunedMatrix &matrix : matrices)
      count += matrix.cells.size();
    return count;
  }

  /// Parameters of each argument of a tuning program: all scales and biases,
  /// then, `withCells`, each plane of each matrix.
  llvm::SmallVector<int64_t> listParameters(bool withCells) const;
};

/// Collects the layers of `module` and, `withCells`, the matrices whose cells
/// can be tuned.
llvm::FailureOr<TunedNetwork> collectTuned(mlir::ModuleOp module,
                                           const Arch &arch, bool withCells);

/// Less likely classes count as this likely where logarithms are taken.
constexpr float leastProbability = 1e-20f;

/// What an output is compared by.
struct TunedOutput {
  unsigned number = 0;
  /// The dimension of its classes, if it has any.
  std::optional<int64_t> classes;
  /// Its values are probabilities; of these the logarithms are compared.
  bool isSoftmax = false;
  /// Mean square of what is compared in the float network, above 0.
  double energy = 1;
};

/// Finds, for output `number` of `module`, how it is compared.
TunedOutput describeOutput(mlir::ModuleOp module, unsigned number,
                           bool classes);

/// Rewrites `@main` of `module` (a copy, with matrices tiled): behind the
/// inputs it takes, for every sample, what the float network makes of each of
/// `outputs`, and parameters: `tensor<batch x P>`, per layer the logarithms of
/// factors of all scales, then the changes of all biases in deviations;
/// `withCells`, for every plane of every matrix `tensor<batch x C>`, its cells
/// as real numbers, the same for all samples (the first one's count). It
/// returns the loss of each sample (`tensor<batch>`) and, with `gradients`, the
/// gradients of that with respect to its parameters (of the sum of losses for
/// cells, with the first sample). An op without gradient is an error.
llvm::LogicalResult buildTuningProgram(mlir::ModuleOp module, const Arch &arch,
                                       llvm::ArrayRef<TunedOutput> outputs,
                                       bool gradients, bool withCells);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_TUNINGPROGRAM_H
