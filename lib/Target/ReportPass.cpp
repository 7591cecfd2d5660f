// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-report: the report, from cim-opt.
#include "cim/Arch/LoadArch.h"
#include "cim/Target/Passes.h"
#include "cim/Target/Report.h"

namespace cim {
#define GEN_PASS_DEF_REPORTPASS
#include "cim/Target/Passes.h.inc"
} // namespace cim

namespace {

struct ReportPass : public cim::impl::ReportPassBase<ReportPass> {
  using ReportPassBase::ReportPassBase;

  void runOnOperation() override {
    mlir::ModuleOp program = getOperation();
    auto arch = cim::loadArch(program.getLoc(), target);
    if (failed(arch) || failed(cim::writeReport(program, *arch, file)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
