// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-keep-digital: crossbar ops that users want in float.
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"

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
    SmallVector<StringRef> names(nodes.begin(), nodes.end());
    SmallVector<CrossbarOpInterface> layers;
    getOperation().walk([&](CrossbarOpInterface op) { layers.push_back(op); });
    if (failed(checkLayerNames(getOperation(), names, layers)))
      return signalPassFailure();
    auto reason = StringAttr::get(&getContext(), "as the user wants it");
    for (CrossbarOpInterface op : layers)
      if (llvm::is_contained(names, getNodeName(op)))
        op->setAttr(digitalAttrName, reason);
  }
};

} // namespace
