// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-calibrate: run the network on sample data and note what it sees.
#include "ModelRunner.h"
#include "Statistics.h"
#include "WindowCovariance.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/IR/NN.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace cim {
#define GEN_PASS_DEF_CALIBRATEPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

/// Samples per call of the float network: enough to keep libraries busy, and
/// so that as few as possible of `count` are left over.
int64_t chooseFloatBatch(int64_t count) {
  constexpr int64_t least = 16, most = 32;
  if (count <= most)
    return count;
  int64_t best = most;
  for (int64_t batch = most; batch >= least; --batch)
    if (count % batch < count % best)
      best = batch;
  return best;
}

/// What to look at: activations whose range is needed, and layers.
struct Plan {
  llvm::SetVector<Value> activations;
  SmallVector<CrossbarOpInterface> layers;
};

/// What one observed value is for; several things may be.
struct Observation {
  std::unique_ptr<ValueStatistics> values;
  std::unique_ptr<ChannelStatistics> channels;
  /// One per layer that reads the value.
  std::vector<std::unique_ptr<WindowCovariance>> covariances;
};

/// All observed values and what they showed.
struct Record {
  llvm::DenseMap<Value, size_t> indices;
  std::vector<Observation> observations;
  llvm::DenseMap<Operation *, WindowCovariance *> covariances;

  Observation &at(Value value) { return observations[indices.at(value)]; }

  static void note(void *user, uint32_t value, const float *data,
                   uint64_t count) {
    Observation &observation = static_cast<Record *>(user)->observations[value];
    ArrayRef<float> values(data, count);
    if (observation.values)
      observation.values->add(values);
    if (observation.channels)
      observation.channels->add(values);
    for (auto &covariance : observation.covariances)
      covariance->add(values);
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

/// Channels of the result of a crossbar op, and elements between neighbours.
std::pair<int64_t, int64_t> getChannels(CrossbarOpInterface op) {
  auto type = cast<ShapedType>(op->getResultTypes()[0]);
  int64_t dim = isa<nn::ConvOp>(op) ? 1 : type.getRank() - 1;
  int64_t inner = 1;
  for (int64_t extent : type.getShape().drop_front(dim + 1))
    inner *= extent;
  return {type.getDimSize(dim), inner};
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
    Record record;
    if (failed(observe(module, *arch, plan, *loaded, record)))
      return signalPassFailure();
    attach(plan, *arch, record);
  }

private:
  /// Inserts nn.observe into a copy of the network and runs it.
  LogicalResult observe(ModuleOp module, const Arch &arch, const Plan &plan,
                        const SampleData &data, Record &record) {
    IRMapping mapping;
    OwningOpRef<ModuleOp> clone = cast<ModuleOp>(module->clone(mapping));
    int64_t oldBatch = nn::getBatch(module);
    int64_t batch = rebatch(*clone, chooseFloatBatch(data.count));
    if (batch == 0) {
      // Ops that the failed attempt changed are of no use.
      mapping.clear();
      clone = cast<ModuleOp>(module->clone(mapping));
      batch = oldBatch;
    }
    // A last call that is not full would need padding.
    int64_t count = std::max<int64_t>(data.count / batch, 1) * batch;
    count = std::min(count, data.count);

    auto show = [&](Value value) -> Observation & {
      auto [entry, isNew] =
          record.indices.try_emplace(value, record.observations.size());
      if (isNew) {
        Value copy = mapping.lookup(value);
        OpBuilder builder(clone->getContext());
        builder.setInsertionPointAfterValue(copy);
        nn::ObserveOp::create(builder, value.getLoc(), copy,
                              static_cast<int64_t>(entry->second));
        record.observations.emplace_back();
      }
      return record.observations[entry->second];
    };
    for (Value value : plan.activations) {
      int64_t perSample =
          cast<ShapedType>(value.getType()).getNumElements() / oldBatch;
      show(value).values = std::make_unique<ValueStatistics>(perSample * count);
    }
    for (CrossbarOpInterface op : plan.layers) {
      auto [channels, inner] = getChannels(op);
      show(op->getResult(0)).channels =
          std::make_unique<ChannelStatistics>(channels, inner);
      std::string reason;
      FailureOr<WindowGeometry> geometry = op.getWindowGeometry(reason);
      if (!covariance || failed(geometry) || !isFloat(op.getCrossbarInput()) ||
          !WindowCovariance::isFeasible(*geometry))
        continue;
      auto &made =
          show(op.getCrossbarInput())
              .covariances.emplace_back(std::make_unique<WindowCovariance>(
                  *geometry, isa<nn::ConvOp>(op), count));
      record.covariances[op] = made.get();
    }
    cim_session_options options = {};
    options.size = sizeof options;
    options.threads = 1;
    options.observe = Record::note;
    options.observe_user = &record;
    return runModel(*clone, arch, data, count, options);
  }

  /// Samples per call that `clone` is set to, 0 when it cannot be changed.
  static int64_t rebatch(ModuleOp clone, int64_t batch) {
    ScopedDiagnosticHandler quiet(clone.getContext(),
                                  [](Diagnostic &) { return success(); });
    return succeeded(nn::setBatch(clone, batch)) ? batch : 0;
  }

  void attach(const Plan &plan, const Arch &arch, Record &record) {
    for (Value value : plan.activations) {
      int64_t signedLevels = arch.acceptsSignedInput()
                                 ? arch.signedInputRange().hi
                                 : arch.unsignedInputRange().hi;
      int64_t unsignedLevels = arch.acceptsUnsignedInput()
                                   ? arch.unsignedInputRange().hi
                                   : signedLevels;
      auto [lo, hi] = record.at(value).values->chooseRange(range, signedLevels,
                                                           unsignedLevels);
      nn::setRange(value, lo, hi);
    }
    for (CrossbarOpInterface op : plan.layers) {
      const ChannelStatistics &channels = *record.at(op->getResult(0)).channels;
      auto toAttr = [&](ArrayRef<double> values) {
        auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                          Float64Type::get(&getContext()));
        return DenseElementsAttr::get(type, values);
      };
      op->setAttr(nn::meanAttrName, toAttr(channels.mean()));
      op->setAttr(nn::deviationAttrName, toAttr(channels.deviation()));
      if (WindowCovariance *covariance = record.covariances.lookup(op)) {
        auto type = RankedTensorType::get(
            {covariance->groups(), covariance->rows(), covariance->rows()},
            Float32Type::get(&getContext()));
        op->setAttr(
            nn::covarianceAttrName,
            makeElements<float>(type, covariance->compute(), "covariance"));
      }
    }
  }
};

} // namespace
