// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-verify-phase: the contract of a phase, executed.
#include "PhaseChecks.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"

namespace cim {
#define GEN_PASS_DEF_VERIFYPHASEPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

struct VerifyPhasePass
    : public cim::impl::VerifyPhasePassBase<VerifyPhasePass> {
  using VerifyPhasePassBase::VerifyPhasePassBase;

  void runOnOperation() override {
    FailureOr<Arch> arch = loadChip(getOperation(), target);
    if (failed(arch) || failed(check(*arch)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult check(const Arch &arch) {
    ModuleOp module = getOperation();
    if (phase == VerifiedPhase::Quant)
      return checkQuantPhase(module);
    if (phase == VerifiedPhase::Program)
      return checkProgram(module, arch);
    if (failed(checkMvms(module, arch)))
      return failure();
    for (MatrixOp matrix : module.getOps<MatrixOp>())
      if (failed(checkMatrix(matrix, arch)))
        return failure();
    return success(phase < VerifiedPhase::Placed ||
                   succeeded(checkPlaces(module, arch)));
  }

  /// Phases in between add one promise each.
  LogicalResult checkMatrix(MatrixOp matrix, const Arch &arch) {
    if (failed(checkWeights(matrix)))
      return failure();
    if (phase >= VerifiedPhase::Split && failed(checkPlanes(matrix, arch)))
      return failure();
    if (phase >= VerifiedPhase::Tiled && failed(checkBlocks(matrix, arch)))
      return failure();
    return success(phase < VerifiedPhase::Calibrated ||
                   succeeded(checkGains(matrix)));
  }
};

} // namespace
