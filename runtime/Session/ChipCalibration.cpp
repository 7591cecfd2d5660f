// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See ChipCalibration.h.

#include "Session/ChipCalibration.h"
#include "Support/Error.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

using namespace cim::rt;

namespace {
/// No scale changes by more than this.
constexpr double maxRatio = 4;
/// Relative variance below which a channel counts as constant.
constexpr double leastVariance = 1e-9;
/// Number of the first sample among all of an experiment: the noise of others
/// must not be the noise that was averaged here.
constexpr uint64_t firstNumber = uint64_t(1) << 31;

/// Sums over the windows that a layer has seen, per output channel.
struct Moments {
  uint64_t count = 0;
  std::vector<double> sum, squares;

  void add(const float *values, uint64_t windows, uint32_t channels);
  void add(const Moments &other);
  double mean(uint32_t n) const { return sum[n] / double(count); }
  /// 0 for a channel that does not vary.
  double deviation(uint32_t n) const;
};

/// All calls of the network on one device. Each has a thread of its own, and
/// one of them runs at a time: it holds `baton`. In a layer it waits for the
/// others, so that what all of them see decides before any goes on.
class Pass {
public:
  /// What to prepare a layer with once its moments are known.
  using Settle = std::function<cim_layer(const cim_layer &, const Moments &)>;

  Pass(const Manifest &manifest, const Chip &chip, uint64_t samples,
       Settle settle)
      : manifest(manifest), api(chip.api), device(chip.device),
        samples(samples), settle(std::move(settle)) {}

  cim_status run(const NetworkCall &call);

  /// A call, and what hides behind the cim_device* that it sees.
  struct Call {
    Pass &pass;
    uint64_t samples; // of the batch that are no padding
    Moments moments;  // of the layer where it is
  };
  cim_status stream(Call &call, const cim_stream &given);

private:
  cim_status prepare(const cim_layer &layer);
  cim_status send(const cim_stream &given, void *output);
  cim_status readSums(Call &call, const cim_stream &given);
  void settleWhenComplete();
  void runCall(const NetworkCall &call, uint64_t index);

  const Manifest &manifest;
  const cim_device_api &api;
  cim_device *device;
  uint64_t samples;
  Settle settle;

  std::mutex baton;
  std::condition_variable settled;
  std::vector<Call> calls;
  size_t running = 0, arrived = 0; // calls that have not ended; that wait
  uint64_t generation = 0;         // layers that were settled
  uint32_t layer = 0;              // where calls arrive
  std::vector<float> sums, ones, zeros;
  cim_status status = CIM_OK;
  std::string error;
};
} // namespace

//===----------------------------------------------------------------------===//
// Moments
//===----------------------------------------------------------------------===//

void Moments::add(const float *values, uint64_t windows, uint32_t channels) {
  sum.resize(channels);
  squares.resize(channels);
  for (uint64_t i = 0; i < windows; ++i, values += channels)
    for (uint32_t n = 0; n < channels; ++n) {
      double value = values[n];
      sum[n] += value;
      squares[n] += value * value;
    }
  count += windows;
}

void Moments::add(const Moments &other) {
  sum.resize(std::max(sum.size(), other.sum.size()));
  squares.resize(sum.size());
  for (size_t n = 0; n < other.sum.size(); ++n) {
    sum[n] += other.sum[n];
    squares[n] += other.squares[n];
  }
  count += other.count;
}

double Moments::deviation(uint32_t n) const {
  double square = squares[n] / double(count), m = mean(n);
  double variance = square - m * m;
  return variance > leastVariance * square ? std::sqrt(variance) : 0;
}

//===----------------------------------------------------------------------===//
// The device that a call sees
//===----------------------------------------------------------------------===//

static cim_status streamCall(cim_device *device, const cim_stream *stream) {
  auto *call = reinterpret_cast<Pass::Call *>(device);
  return call->pass.stream(*call, *stream);
}

static cim_status waitForNothing(cim_device *) { return CIM_OK; }

static const char *lastErrorText() { return lastError().c_str(); }

/// A network streams and waits, nothing else.
static const cim_device_api &standIn() {
  static const cim_device_api api = [] {
    cim_device_api made = {};
    made.size = sizeof made;
    made.version = CIM_DEVICE_VERSION;
    made.stream = streamCall;
    made.wait = waitForNothing;
    made.last_error = lastErrorText;
    return made;
  }();
  return api;
}

//===----------------------------------------------------------------------===//
// A pass
//===----------------------------------------------------------------------===//

cim_status Pass::prepare(const cim_layer &wanted) {
  if (cim_status failed = api.prepare(device, &wanted))
    return fail(failed,
                std::string("layer ") + wanted.name + ": " + api.last_error());
  return CIM_OK;
}

cim_status Pass::send(const cim_stream &given, void *output) {
  cim_stream part = given;
  part.first_image += firstNumber;
  part.output = output;
  cim_status failed = api.stream(device, &part);
  if (failed == CIM_OK)
    failed = api.wait(device);
  return failed ? fail(failed, std::string(api.last_error())) : CIM_OK;
}

/// Adds what the call's windows make of the layer's columns to its moments.
cim_status Pass::readSums(Call &call, const cim_stream &given) {
  const cim_layer &known = manifest.layers[given.layer].layer;
  if (arrived == 0) {
    layer = given.layer;
    ones.assign(known.out_c, 1.0f);
    zeros.assign(known.out_c, 0.0f);
    cim_layer raw = known;
    raw.scale = ones.data();
    raw.bias = zeros.data();
    raw.lo = -std::numeric_limits<float>::infinity();
    raw.hi = std::numeric_limits<float>::infinity();
    raw.out_type = CIM_F32;
    if (cim_status failed = prepare(raw))
      return failed;
  }
  uint64_t windows = uint64_t(known.out_h) * known.out_w;
  sums.resize(windows * known.out_c * given.image_count);
  if (cim_status failed = send(given, sums.data()))
    return failed;
  call.moments = {};
  call.moments.add(sums.data(), windows * call.samples, known.out_c);
  return CIM_OK;
}

cim_status Pass::stream(Call &call, const cim_stream &given) {
  if (given.layer >= manifest.layers.size() ||
      (arrived > 0 && given.layer != layer))
    return fail(CIM_BAD_FILE, "the network's calls stream different layers");
  cim_status failed = readSums(call, given);
  if (failed != CIM_OK)
    return failed;
  ++arrived;
  uint64_t here = generation;
  settleWhenComplete();
  std::unique_lock<std::mutex> lock(baton, std::adopt_lock);
  settled.wait(lock, [&] { return generation != here; });
  lock.release();
  if (status != CIM_OK)
    return fail(status, error);
  return send(given, given.output);
}

/// Once all calls are in the layer, what they saw decides how it goes on.
void Pass::settleWhenComplete() {
  if (arrived == 0 || arrived < running)
    return;
  if (status == CIM_OK) {
    Moments all;
    for (const Call &call : calls)
      all.add(call.moments);
    status = prepare(settle(manifest.layers[layer].layer, all));
    error = lastError();
  }
  arrived = 0;
  ++generation;
  settled.notify_all();
}

void Pass::runCall(const NetworkCall &call, uint64_t index) {
  baton.lock();
  auto *self = reinterpret_cast<cim_device *>(&calls[index]);
  cim_status failed = guarded([&] { return call(index, standIn(), self); });
  if (failed != CIM_OK && status == CIM_OK) {
    status = failed;
    error = lastError();
  }
  --running;
  settleWhenComplete();
  baton.unlock();
}

cim_status Pass::run(const NetworkCall &call) {
  uint64_t batch = manifest.batch;
  for (uint64_t begin = 0; begin < samples; begin += batch)
    calls.push_back({*this, std::min(batch, samples - begin), {}});
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(baton);
    // Without a thread there is no call that others would wait for.
    status = guarded([&] {
      while (running < calls.size()) {
        threads.emplace_back(&Pass::runCall, this, std::cref(call), running);
        ++running;
      }
      return CIM_OK;
    });
    if (status != CIM_OK)
      error = lastError();
  }
  for (std::thread &thread : threads)
    thread.join();
  return status == CIM_OK ? CIM_OK : fail(status, error);
}

//===----------------------------------------------------------------------===//
// Two passes
//===----------------------------------------------------------------------===//

/// Scale and bias that give `found` the mean and deviation of `wanted`.
static LayerCorrection correct(const cim_layer &layer, const Moments &wanted,
                               const Moments &found) {
  LayerCorrection result;
  for (uint32_t n = 0; n < layer.out_c; ++n) {
    double from = found.deviation(n), to = wanted.deviation(n), ratio = 1;
    if (from > 0 && to > 0)
      ratio = std::clamp(to / from, 1 / maxRatio, maxRatio);
    double scale = layer.scale[n];
    double shift = wanted.mean(n) - ratio * found.mean(n);
    result.scale.push_back(float(scale * ratio));
    result.bias.push_back(float(layer.bias[n] + scale * shift));
  }
  return result;
}

cim_status cim::rt::calibrateChip(const Manifest &manifest,
                                  const Chip &described, const Chip &chip,
                                  uint64_t samples, const NetworkCall &call,
                                  ChipCorrections &corrections) {
  std::vector<Moments> wanted(manifest.layers.size());
  Pass measuring(manifest, described, samples,
                 [&](const cim_layer &layer, const Moments &seen) {
                   wanted[layer.id] = seen;
                   return layer;
                 });
  if (cim_status status = measuring.run(call))
    return status;
  ChipCorrections made(manifest.layers.size());
  Pass correcting(manifest, chip, samples,
                  [&](cim_layer layer, const Moments &seen) {
                    LayerCorrection &own = made[layer.id];
                    own = correct(layer, wanted[layer.id], seen);
                    layer.scale = own.scale.data();
                    layer.bias = own.bias.data();
                    return layer;
                  });
  cim_status status = correcting.run(call);
  if (status == CIM_OK)
    corrections.swap(made);
  return status;
}
