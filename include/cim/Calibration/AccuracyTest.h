// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much a mapped network loses against the float network, on samples that
// calibration does not see.
#ifndef CIM_CALIBRATION_ACCURACYTEST_H
#define CIM_CALIBRATION_ACCURACYTEST_H

#include "cim/Arch/Arch.h"
#include "mlir/IR/BuiltinOps.h"
#include <memory>

namespace cim {

struct SampleData;

class AccuracyTest {
public:
  /// What a drop is, in percent.
  enum class Measure {
    Labels,    ///< points of top-1 accuracy lost
    Agreement, ///< samples whose largest output is another one
    Error      ///< energy of the error / energy of the float outputs
  };

  /// Holds back the last quarter of the samples of `network` (float, as
  /// imported), or all behind the first 1,024 where these are more; at most
  /// 4,096 count. `labels` is empty or an .npy file with a class per sample;
  /// with `byEnergy` classes do not count. Runs the float network. Problems are
  /// errors at `network`.
  static llvm::FailureOr<AccuracyTest>
  create(mlir::ModuleOp network, const Arch &arch, llvm::StringRef samples,
         llvm::StringRef labels, bool byEnergy);

  Measure measure() const { return kind; }
  /// How many samples are left for calibration, and how many are held back.
  int64_t calibrationCount() const { return firstHeld; }
  int64_t heldCount() const;

  /// The drop of `program` (blocks placed) on device 'exact'; infinite where
  /// its outputs are not finite.
  llvm::FailureOr<double> measureDrop(mlir::ModuleOp program,
                                      const Arch &arch) const;

private:
  using Outputs = std::vector<std::vector<float>>;

  llvm::LogicalResult chooseMeasure(mlir::ModuleOp network, bool byEnergy);
  llvm::LogicalResult readLabels(mlir::ModuleOp network, llvm::StringRef path,
                                 int64_t sampleCount);
  llvm::FailureOr<Outputs> evaluate(mlir::ModuleOp program,
                                    const Arch &arch) const;
  /// Percent of held samples whose largest value is that of `classes`.
  double countHits(const std::vector<float> &values,
                   llvm::ArrayRef<int64_t> classes) const;

  Measure kind = Measure::Error;
  int64_t firstHeld = 0;
  std::shared_ptr<const SampleData> held;
  /// Values of one sample that compete, and the class of every held sample.
  int64_t classCount = 0;
  std::vector<int64_t> classes;
  Outputs reference;
};

} // namespace cim

#endif // CIM_CALIBRATION_ACCURACYTEST_H
