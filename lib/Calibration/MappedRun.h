// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streams samples through a copy of a mapped network on the calibrating device.
#ifndef CIM_LIB_CALIBRATION_MAPPEDRUN_H
#define CIM_LIB_CALIBRATION_MAPPEDRUN_H

#include "CalibratingDevice.h"
#include "ModelRunner.h"
#include "cim/Dialect/CIM/IR/CIM.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace cim {

/// From tiled matrices to a program, on as many arrays as that takes.
void buildTrialPipeline(mlir::OpPassManager &pm, llvm::StringRef target);

/// What a pass that uses `MappedRun` must have loaded before it runs.
void insertMappedRunDialects(mlir::DialectRegistry &registry,
                             llvm::StringRef target);

/// How gains are chosen for `arch`, or a diagnostic.
llvm::FailureOr<GainChoice> makeGainChoice(mlir::ModuleOp module,
                                           GainMethod method, double percentile,
                                           const Arch &arch);

/// Reads a table of `op`, a value per channel, into `to`; without one `to`
/// stays empty.
llvm::LogicalResult readTable(MvmOp op, std::optional<mlir::ElementsAttr> table,
                              std::vector<double> &to);

/// Gives `op` another scale and bias per channel.
void setEpilogue(MvmOp op, llvm::ArrayRef<double> scale,
                 llvm::ArrayRef<double> bias);

/// The layers and matrices of a network with tiled matrices: layers in the
/// order of the program, which is how a device counts them, matrices in the
/// order in which layers use them. `classes`: the outputs of the network are
/// logits. `ops` becomes the mvm of every layer.
llvm::FailureOr<NetworkCalibration>
collectLayers(mlir::ModuleOp module, bool classes,
              llvm::SmallVectorImpl<MvmOp> &ops);

class MappedRun {
public:
  /// Compiles a copy of `module` (matrices tiled, layers not placed yet), which
  /// is to run on `data`; `data` must outlive the run. Remarks say when fewer
  /// samples are used, or when layers cannot be calibrated one after another,
  /// with `inOrder` also because their results do not lie sample behind sample.
  static llvm::FailureOr<MappedRun>
  compile(mlir::ModuleOp module, llvm::StringRef target, const Arch &arch,
          const SampleData &data, bool inOrder = false);

  /// False when a call brings a part of the samples only.
  bool isSequential() const { return sequential; }

  /// Decides what is open in `calibration`, which `collectLayers` made of the
  /// module.
  llvm::LogicalResult run(NetworkCalibration &calibration);

private:
  llvm::LogicalResult decidePooled(NetworkCalibration &calibration);
  /// Streams all samples once.
  llvm::LogicalResult stream(NetworkCalibration &calibration);

  const SampleData *data;
  const Arch *arch;
  int64_t count;
  bool sequential;
  mlir::OwningOpRef<mlir::ModuleOp> program;
  std::optional<ModelRunner> runner;
};

} // namespace cim

#endif // CIM_LIB_CALIBRATION_MAPPEDRUN_H
