// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A mapped network as a function of its scales and biases.
#ifndef CIM_LIB_CALIBRATION_TUNINGPROGRAM_H
#define CIM_LIB_CALIBRATION_TUNINGPROGRAM_H

#include "cim/Dialect/CIM/IR/CIM.h"
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

/// The layers of `module` whose deviations in float are known, in program
/// order: those that arrived quantised stay as they are.
llvm::FailureOr<std::vector<TunedLayer>>
collectTunedLayers(mlir::ModuleOp module);

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
/// `outputs`, and the parameters (`tensor<batch x P>`): per layer the
/// logarithms of factors of all scales, then the changes of all biases in
/// deviations. It returns the loss of each sample (`tensor<batch>`) and, with
/// `gradients`, the gradient of that with respect to its parameters. An op
/// without gradient is an error.
llvm::LogicalResult buildTuningProgram(mlir::ModuleOp module,
                                       llvm::ArrayRef<TunedOutput> outputs,
                                       bool gradients);

} // namespace cim

#endif // CIM_LIB_CALIBRATION_TUNINGPROGRAM_H
