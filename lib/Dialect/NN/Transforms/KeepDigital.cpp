// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-keep-digital: crossbar ops that users want in float.
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "llvm/ADT/StringSet.h"

namespace cim::nn {
#define GEN_PASS_DEF_KEEPDIGITALPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

struct KeepDigitalPass : nn::impl::KeepDigitalPassBase<KeepDigitalPass> {
  using KeepDigitalPassBase::KeepDigitalPassBase;

  void runOnOperation() override {
    llvm::StringSet<> wanted, known;
    for (const std::string &name : nodes)
      wanted.insert(name);
    auto reason = StringAttr::get(&getContext(), "as the user wants it");
    SmallVector<StringRef> names; // of all layers, in order
    getOperation().walk([&](CrossbarOpInterface op) {
      StringRef name = getNodeName(op);
      if (known.insert(name).second)
        names.push_back(name);
      if (wanted.contains(name))
        op->setAttr(digitalAttrName, reason);
    });
    for (const std::string &name : nodes) {
      if (known.contains(name))
        continue;
      InFlightDiagnostic error =
          getOperation()->emitError("no crossbar layer is called '")
          << name << "'; the layers are ";
      llvm::interleaveComma(
          names, error, [&](StringRef known) { error << "'" << known << "'"; });
      return signalPassFailure();
    }
  }
};

} // namespace
