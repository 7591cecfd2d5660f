// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scales, biases and cells of all layers, moved for the sake of the network's
// outputs.
#ifndef CIM_CALIBRATION_LAYERTUNING_H
#define CIM_CALIBRATION_LAYERTUNING_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/BuiltinOps.h"
#include <memory>

namespace cim {

struct TuningSamples;

enum class Tuning {
  None,
  Scales, ///< scales and biases
  Cells   ///< these, then cells, scales and biases
};

/// The method is in docs/Accuracy.md, "Tuning".
class LayerTuning {
public:
  /// Runs `network` (float, as imported) on the first `limit` of the `samples`,
  /// on more for cells. Problems are errors at it.
  static llvm::FailureOr<LayerTuning> create(mlir::ModuleOp network,
                                             const Arch &arch,
                                             llvm::StringRef samples,
                                             int64_t limit, Tuning tuning);

  /// Changes scale and bias of every `cim.mvm` of `mapped`, the same network
  /// with tiled matrices and gains, and the cells of its matrices. With
  /// `classes`, outputs are logits. Where samples that are held back gain
  /// nothing, all stays as it is. A remark says what came of it.
  llvm::LogicalResult run(mlir::ModuleOp mapped, const Arch &arch,
                          llvm::StringRef target, bool classes) const;

private:
  std::shared_ptr<const TuningSamples> samples;
  Tuning tuning = Tuning::None;
};

} // namespace cim

#endif // CIM_CALIBRATION_LAYERTUNING_H
