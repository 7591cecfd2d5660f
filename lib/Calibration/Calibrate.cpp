// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-calibrate: run the network on sample data and note what it sees.
#include "Observation.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_CALIBRATEPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// What to look at: activations whose range is needed, and layers.
struct Plan {
  llvm::SetVector<Value> activations;
  SmallVector<CrossbarOpInterface> layers;
};

/// What to observe: values with their numbers.
struct Watch {
  llvm::MapVector<Value, size_t> values;
  std::vector<Wanted> wanted;

  Wanted &want(Value value) {
    auto [entry, isNew] = values.try_emplace(value, wanted.size());
    return isNew ? wanted.emplace_back() : wanted[entry->second];
  }
};

bool isFloat(Value value) {
  return cast<ShapedType>(value.getType()).getElementType().isF32();
}

/// Mirrors what nn-quantize does.
Plan makePlan(ModuleOp module, const Arch &arch) {
  Plan plan;
  std::string reason;
  module.walk([&](CrossbarOpInterface op) {
    if (!nn::runsOnArrays(op, arch, reason))
      return;
    Value root = nn::getActivationRoot(op.getCrossbarInput());
    if (isFloat(root) && !root.getDefiningOp<nn::DequantizeOp>())
      plan.activations.insert(root);
    if (isFloat(op.getCrossbarWeights()))
      plan.layers.push_back(op);
  });
  return plan;
}

struct CalibratePass : cim::impl::CalibratePassBase<CalibratePass> {
  using CalibratePassBase::CalibratePassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<nn::NNDialect>();
    insertModelRunnerDialects(registry);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    FailureOr<SampleData> loaded = loadSamples(module, data, samples);
    if (failed(loaded))
      return signalPassFailure();
    Plan plan = makePlan(module, *arch);
    if (plan.activations.empty() && plan.layers.empty())
      return;
    FloatRun run(module, *loaded);
    Watch watch;
    fillWatch(plan, run.sampleCount(), run.moduleBatch(), watch);
    SmallVector<Value> values;
    for (auto [value, number] : watch.values)
      values.push_back(value);
    FailureOr<Record> record = observe(run, *arch, values, watch.wanted);
    if (failed(record))
      return signalPassFailure();
    if (failed(checkFinite(module, watch, *record)))
      return signalPassFailure();
    attach(plan, *arch, watch, *record);
  }

private:
  static void fillWatch(const Plan &plan, int64_t count, int64_t batch,
                        Watch &watch) {
    for (Value value : plan.activations)
      watch.want(value).range =
          cast<ShapedType>(value.getType()).getNumElements() / batch * count;
    for (CrossbarOpInterface op : plan.layers)
      watch.want(op->getResult(0)).channels = nn::getResultChannels(op);
  }

  /// Refuses the first value of the program that is not finite: others follow
  /// from it.
  static LogicalResult checkFinite(ModuleOp module, const Watch &watch,
                                   const Record &record) {
    auto isFinite = [&](Value value) {
      auto seen = watch.values.find(value);
      return seen == watch.values.end() ||
             record.value(seen->second).isFinite();
    };
    WalkResult walk = module.walk([&](Operation *op) {
      if (llvm::all_of(op->getResults(), isFinite))
        return WalkResult::advance();
      emitError(op->getLoc(), "expected finite values on the calibration data, "
                              "but got infinite ones or NaN");
      return WalkResult::interrupt();
    });
    return failure(walk.wasInterrupted());
  }

  void attach(const Plan &plan, const Arch &arch, const Watch &watch,
              const Record &record) {
    auto at = [&](Value value) -> const Observation & {
      return record.value(watch.values.lookup(value));
    };
    int64_t signedLevels = arch.acceptsSignedInput()
                               ? arch.signedInputRange().hi
                               : arch.unsignedInputRange().hi;
    int64_t unsignedLevels = arch.acceptsUnsignedInput()
                                 ? arch.unsignedInputRange().hi
                                 : signedLevels;
    for (Value value : plan.activations) {
      auto [lo, hi] =
          at(value).values().chooseRange(range, signedLevels, unsignedLevels);
      nn::setRange(value, lo, hi);
    }
    shareRanges(plan);
    for (CrossbarOpInterface op : plan.layers) {
      const ChannelStatistics &channels = at(op->getResult(0)).statistics();
      auto toAttr = [&](ArrayRef<double> values) {
        auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                          Float64Type::get(&getContext()));
        return DenseElementsAttr::get(type, values);
      };
      op->setAttr(nn::meanAttrName, toAttr(channels.mean()));
      op->setAttr(nn::deviationAttrName, toAttr(channels.deviation()));
    }
  }

  /// Whether a value of range `own` loses at most one bit in range `whole`.
  static bool isCloseRange(std::pair<float, float> own,
                           std::pair<float, float> whole) {
    auto magnitude = [](std::pair<float, float> range) {
      return std::max(std::abs(range.first), std::abs(range.second));
    };
    return (own.first < 0) == (whole.first < 0) &&
           2 * magnitude(own) >= magnitude(whole);
  }

  /// Integers of one scale can be joined as they are, so what a layer reads
  /// joined is stored with the scale of the whole.
  static void shareRanges(const Plan &plan) {
    SmallVector<nn::ConcatOp> joins;
    for (Value value : plan.activations)
      if (auto concat = value.getDefiningOp<nn::ConcatOp>())
        joins.push_back(concat);
    // The outer ones of nested joins first.
    llvm::sort(joins, [](nn::ConcatOp a, nn::ConcatOp b) {
      return b->isBeforeInBlock(a);
    });
    llvm::DenseSet<Value> shared;
    for (nn::ConcatOp concat : joins) {
      auto [lo, hi] = *nn::getRange(concat);
      SmallVector<Value> parts{concat};
      while (!parts.empty()) {
        Value root = nn::getActivationRoot(parts.pop_back_val());
        if (!shared.insert(root).second)
          continue;
        if (plan.activations.contains(root) &&
            isCloseRange(*nn::getRange(root), {lo, hi}))
          nn::setRange(root, lo, hi);
        if (auto inner = root.getDefiningOp<nn::ConcatOp>())
          llvm::append_range(parts, inner.getInputs());
      }
    }
  }
};

} // namespace
