// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-equalize-channels: channels of an activation get like ranges.
#include "Observation.h"
#include "cim/Calibration/Passes.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/ChannelScaling.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_EQUALIZECHANNELSPASS
#include "cim/Calibration/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;
using nn::ChannelScaling;

namespace {

/// Binary logarithms: no factor is larger, so that weights stay finite.
constexpr double mostOctaves = 24;

/// Root mean square of the weights of each input channel of `op`.
FailureOr<std::vector<double>> measureWeights(CrossbarOpInterface op,
                                              const WindowGeometry &geometry) {
  FailureOr<std::vector<float>> weights =
      nn::readFloats(op.getCrossbarWeights());
  if (failed(weights))
    return failure();
  int64_t channels = geometry.inC, inGroup = channels / geometry.groups;
  std::vector<double> squares(channels);
  for (auto [weight, place] :
       llvm::zip_equal(*weights, nn::getMatrixPlaces(op, geometry))) {
    int64_t row = place / geometry.outC;
    int64_t group = row / geometry.rowsPerGroup();
    squares[group * inGroup + row % inGroup] += double(weight) * weight;
  }
  double count = double(weights->size()) / double(channels);
  for (double &square : squares)
    square = std::sqrt(square / count);
  return squares;
}

/// Where each channel has columns of its own, their scales make up for whatever
/// becomes of its weights.
bool hasSeparateChannels(const WindowGeometry &geometry) {
  return geometry.inC == geometry.groups;
}

/// Other convolutions lose as much in their weights as they win.
bool hasWishes(CrossbarOpInterface op) {
  std::string reason;
  return !isa<nn::ConvOp>(op) ||
         hasSeparateChannels(*op.getWindowGeometry(reason));
}

/// What a layer wishes its input channels to be divided by, given their root
/// mean squares, as binary logarithms; none for channels that carry nothing.
FailureOr<std::vector<std::optional<double>>>
computeWishes(CrossbarOpInterface op, ArrayRef<double> inputs) {
  std::string reason;
  WindowGeometry geometry = *op.getWindowGeometry(reason);
  FailureOr<std::vector<double>> weights = measureWeights(op, geometry);
  if (failed(weights))
    return failure();
  bool isSeparate = hasSeparateChannels(geometry);
  std::vector<std::optional<double>> wishes(inputs.size());
  double sum = 0;
  int64_t count = 0;
  for (auto [wish, a, w] : llvm::zip_equal(wishes, inputs, *weights)) {
    if (!(a > 0 && w > 0 && std::isfinite(a) && std::isfinite(w)))
      continue;
    wish = isSeparate ? std::log2(a) : (std::log2(a) - std::log2(w)) / 2;
    sum += *wish;
    ++count;
  }
  // Only ratios between its channels matter to a layer.
  for (std::optional<double> &wish : wishes)
    if (wish)
      *wish -= sum / double(count);
  return wishes;
}

/// What layers wish, by class.
class Wishes {
public:
  explicit Wishes(const ChannelScaling &scaling)
      : scaling(scaling), sums(scaling.classCount()),
        counts(scaling.classCount()) {}

  void add(ArrayRef<int32_t> classes, ArrayRef<std::optional<double>> wishes) {
    for (auto [which, wish] : llvm::zip_equal(classes, wishes))
      if (wish) {
        sums[scaling.leader(which)] += *wish;
        ++counts[scaling.leader(which)];
      }
  }

  std::vector<double> computeFactors() const {
    std::vector<double> factors(sums.size(), 1.0);
    for (int32_t which = 0; which < scaling.classCount(); ++which)
      if (counts[which] > 0 && scaling.isFree(which))
        factors[which] = std::exp2(std::clamp(
            sums[which] / double(counts[which]), -mostOctaves, mostOctaves));
    return factors;
  }

private:
  const ChannelScaling &scaling;
  std::vector<double> sums;
  std::vector<int64_t> counts;
};

struct EqualizeChannelsPass
    : cim::impl::EqualizeChannelsPassBase<EqualizeChannelsPass> {
  using EqualizeChannelsPassBase::EqualizeChannelsPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<nn::NNDialect>();
    insertModelRunnerDialects(registry);
  }

  void runOnOperation() override {
    if (data.empty())
      return;
    ModuleOp module = getOperation();
    auto function = module.lookupSymbol<FunctionOpInterface>("main");
    FailureOr<Arch> arch = loadChip(module, target);
    FailureOr<SampleData> samples = failure();
    if (succeeded(arch))
      samples = loadSamples(module, data, this->samples);
    if (failed(samples))
      return signalPassFailure();
    ChannelScaling scaling(function);
    SmallVector<ChannelScaling::Reader> readers;
    std::string reason;
    for (const ChannelScaling::Reader &reader : scaling.readers())
      if (nn::runsOnArrays(reader.op, *arch, reason) && hasWishes(reader.op))
        readers.push_back(reader);
    if (readers.empty())
      return;
    FailureOr<Wishes> wishes =
        observeWishes(module, *arch, *samples, scaling, readers);
    if (failed(wishes) || failed(scaling.divide(wishes->computeFactors())))
      signalPassFailure();
  }

private:
  static FailureOr<Wishes>
  observeWishes(ModuleOp module, const Arch &arch, const SampleData &samples,
                const ChannelScaling &scaling,
                ArrayRef<ChannelScaling::Reader> readers) {
    llvm::MapVector<Value, size_t> numbers;
    std::vector<Wanted> wanted;
    for (ChannelScaling::Reader reader : readers) {
      Value input = reader.op.getCrossbarInput();
      auto shape = nn::shapeOf(input);
      if (!numbers.try_emplace(input, wanted.size()).second)
        continue;
      int64_t dim = reader.channels.dim;
      wanted.emplace_back().channels = {shape[dim],
                                        nn::getInnerSize(shape, dim)};
    }
    SmallVector<Value> values;
    for (auto [value, number] : numbers)
      values.push_back(value);
    FloatRun run(module, samples);
    FailureOr<Record> record = observe(run, arch, values, wanted);
    if (failed(record))
      return failure();
    Wishes wishes(scaling);
    for (ChannelScaling::Reader reader : readers) {
      const ChannelStatistics &seen =
          record->value(numbers.lookup(reader.op.getCrossbarInput()))
              .statistics();
      std::vector<double> rms;
      for (auto [mean, deviation] :
           llvm::zip_equal(seen.mean(), seen.deviation()))
        rms.push_back(std::hypot(mean, deviation));
      auto wished = computeWishes(reader.op, rms);
      if (failed(wished))
        return failure();
      wishes.add(reader.channels.classes, *wished);
    }
    return wishes;
  }
};

} // namespace
