// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What tuning learns from and what it is measured by.
#include "TuningSamples.h"
#include "ModelRunner.h"
#include "WindowSample.h"
#include "cim/Dialect/NN/Transforms/SetBatch.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

namespace cim {

static constexpr int64_t heldEvery = 4, mixturesPerSample = 16,
                         mostForCells = 4096, maxBytes = int64_t(1) << 28;

bool TuningSamples::isHeld(int64_t number) {
  return number % heldEvery == heldEvery - 1;
}

std::vector<int64_t> TuningSamples::list(bool held, bool mixtures) const {
  std::vector<int64_t> numbers;
  int64_t end = !mixtures ? data.count
                : held    ? std::min(2 * data.count, total)
                          : total;
  for (int64_t i = 0; i < end; ++i)
    if (isHeld(i) == held)
      numbers.push_back(i);
  return numbers;
}

/// From 0 to 1, without 1.
static double draw(uint64_t number) {
  return double(WindowSample::mix(number) >> 11) * 0x1p-53;
}

/// A sample of `count` for mixture `number`: held back if that is.
static int64_t drawSample(int64_t number, uint64_t seed, int64_t count) {
  constexpr int64_t others = heldEvery - 1;
  int64_t held = count / heldEvery;
  if (TuningSamples::isHeld(number))
    return static_cast<int64_t>(draw(seed) * double(held)) * heldEvery + others;
  auto place = static_cast<int64_t>(draw(seed) * double(count - held));
  return place + place / others;
}

/// How many samples may take memory: `maxBytes` for inputs and outputs.
static int64_t countThatFit(ModuleOp network) {
  FunctionType type =
      network.lookupSymbol<func::FuncOp>("main").getFunctionType();
  int64_t bits = 0;
  for (TypeRange types : {type.getInputs(), type.getResults()})
    for (Type type : types)
      bits += cast<ShapedType>(type).getNumElements() *
              cast<ShapedType>(type).getElementTypeBitWidth();
  return maxBytes * 8 * nn::getBatch(network) / std::max<int64_t>(bits, 1);
}

/// Puts mixtures `t a + (1 - t) b` of samples a and b behind them, at most
/// `limit`; t follows the arcsine distribution: mostly near 0 or 1. How many
/// there are then.
static int64_t addMixtures(SampleData &samples, int64_t limit) {
  int64_t count = samples.count;
  if (count < heldEvery ||
      llvm::any_of(
          samples.inputs,
          [](auto &input) { return input.type != npy::Type::F32; }))
    return count;
  int64_t total = count + std::min(mixturesPerSample * count, limit);
  for (npy::Array &input : samples.inputs) {
    int64_t size = input.bytes.size() / input.shape.front();
    input.bytes.resize(total * size);
    input.shape.front() = total;
    auto at = [&](int64_t sample) {
      return reinterpret_cast<float *>(input.bytes.data() + sample * size);
    };
    for (int64_t i = count; i < total; ++i) {
      const float *a = at(drawSample(i, 3 * i, count)),
                  *b = at(drawSample(i, 3 * i + 1, count));
      double root = std::sin(llvm::numbers::pi / 2 * draw(3 * i + 2));
      auto t = static_cast<float>(root * root);
      float *to = at(i);
      for (int64_t e = 0; e < size / int64_t(sizeof(float)); ++e)
        to[e] = t * a[e] + (1 - t) * b[e];
    }
  }
  return total;
}

FailureOr<TuningSamples> TuningSamples::load(ModuleOp network, const Arch &arch,
                                             StringRef path, int64_t limit,
                                             bool forCells) {
  int64_t fit = countThatFit(network);
  if (forCells)
    limit = std::max(limit, std::min(mostForCells, fit));
  FailureOr<SampleData> data = loadSamples(network, path, limit);
  if (failed(data))
    return failure();
  FailureOr<ModelRunner> runner = ModelRunner::compile(network, arch);
  if (failed(runner))
    return failure();
  TuningSamples samples;
  samples.total = forCells ? addMixtures(*data, fit) : data->count;
  auto wanted = runner->evaluate(*data, samples.total);
  if (failed(wanted))
    return failure();
  samples.wanted = std::move(*wanted);
  samples.data = std::move(*data);
  return samples;
}

} // namespace cim
