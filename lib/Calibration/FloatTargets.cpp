// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the layers of a float network make of some windows.
#include "FloatTargets.h"
#include "FloatRun.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"

using namespace mlir;

namespace cim {

namespace {

/// Elements of the moments of all groups together.
constexpr int64_t maxMoments = 1 << 23;
/// Windows per row of the matrix, and at least.
constexpr int64_t windowsPerRow = 16, minWindows = 16384;
/// Numbers of all layers together.
constexpr int64_t maxValues = int64_t(1) << 26;

/// The targets of one layer, and where to find them in the result of its op.
struct Recorder {
  LayerTargets targets;
  int64_t windows, inner;

  Recorder(CrossbarOpInterface op, int64_t batch) {
    std::tie(targets.channels, inner) = nn::getResultChannels(op);
    auto type = cast<ShapedType>(op->getResultTypes()[0]);
    windows = type.getNumElements() / batch / targets.channels;
  }

  int64_t wantedWindows(CrossbarOpInterface op) const {
    std::string reason;
    int64_t rows = op.getWindowGeometry(reason)->rowsPerGroup();
    return std::max(windowsPerRow * rows, minWindows);
  }

  void reserve(int64_t samples, int64_t wanted) {
    targets.samples = samples;
    targets.sample = WindowSample(windows, samples, wanted);
    targets.values.resize(samples * targets.sample.perSample *
                          targets.channels);
  }

  /// Takes what it needs of sample number `sample`.
  void take(int64_t sample, const float *data) {
    float *to = targets.values.data() +
                sample * targets.sample.perSample * targets.channels;
    for (int64_t i = 0; i < targets.sample.perSample; ++i) {
      int64_t window = targets.sample.place(sample, i);
      const float *from =
          data + window / inner * inner * targets.channels + window % inner;
      for (int64_t n = 0; n < targets.channels; ++n)
        *to++ = from[n * inner];
    }
  }

  int64_t sampleSize() const { return windows * targets.channels; }
};

} // namespace

bool hasFeasibleMoments(const WindowGeometry &geometry) {
  int64_t rows = geometry.rowsPerGroup();
  return rows * RowParts(rows).size <= maxMoments / geometry.groups;
}

FailureOr<std::vector<std::shared_ptr<const LayerTargets>>>
recordTargets(ModuleOp module, ArrayRef<CrossbarOpInterface> layers,
              const Arch &arch, const SampleData &data) {
  FloatRun run(module, data, /*inOrder=*/true);
  std::vector<std::shared_ptr<const LayerTargets>> result;
  if (!run.isInOrder())
    return result;
  int64_t samples = run.sampleCount();
  std::vector<Recorder> recorders;
  SmallVector<Value> values;
  int64_t total = 0;
  for (CrossbarOpInterface op : layers) {
    values.push_back(op->getResult(0));
    const Recorder &recorder = recorders.emplace_back(op, run.moduleBatch());
    total += recorder.wantedWindows(op) * recorder.targets.channels;
  }
  int64_t share = (total + maxValues - 1) / maxValues;
  for (auto [op, recorder] : llvm::zip_equal(layers, recorders))
    recorder.reserve(samples, recorder.wantedWindows(op) / share);

  constexpr int64_t parts = 4;
  std::vector<std::vector<int64_t>> next(parts);
  for (int64_t part = 0; part < parts; ++part)
    next[part].assign(layers.size(), run.firstSample(part, parts));
  auto observe = [&](size_t part, uint32_t layer, ArrayRef<float> seen) {
    Recorder &recorder = recorders[layer];
    int64_t size = recorder.sampleSize();
    for (; !seen.empty(); seen = seen.drop_front(size))
      recorder.take(next[part][layer]++, seen.data());
  };
  if (failed(run.run(arch, values, parts, observe)))
    return failure();
  for (Recorder &recorder : recorders)
    result.push_back(
        std::make_shared<LayerTargets>(std::move(recorder.targets)));
  return result;
}

} // namespace cim
