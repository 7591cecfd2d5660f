// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-bench-kernels: the simulator's kernels on convolutions of real networks,
// as a fraction of the int8 peak of one core, measured in the same process; how
// their cost grows with windows and with cells; the random numbers alone. Times
// are CPU time of the thread; repeated 7 times, the median counts:
//
//   cim-bench-kernels
//   cim-bench-kernels --benchmark_filter=exact
//
// benchmark/performance.py compares them with the project's goals.

#include "Peak.h"
#include "Session/DeviceLibrary.h"
#include "Simulator/Dispatch.h"
#include "Simulator/Normal.h"

#include <benchmark/benchmark.h>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {
/// A 3 x 3 convolution with padding 1 on one array.
struct Shape {
  const char *name;
  uint32_t size, inC, outC;
  uint32_t rows() const { return 9 * inC; }
};

struct Mode {
  const char *name, *mode, *target;
};

/// A prepared layer.
class Bench {
public:
  Bench(const Shape &shape, const Mode &mode);
  ~Bench() { api.destroy(device); }
  void run();
  double macs() const { return windows() * shape.rows() * shape.outC; }
  double outputs() const { return windows() * shape.outC; }

private:
  static constexpr uint32_t images = 4;
  double windows() const { return double(images) * shape.size * shape.size; }

  const cim_device_api &api = *cim::rt::simulatorApi();
  Shape shape;
  cim_device *device = nullptr;
  cim_layer layer = {};
  cim_block block = {};
  std::vector<float> ones, zeros;
  std::vector<int8_t> input, output;
};
} // namespace

static const Shape shapes[] = {{"1152x512", 14, 128, 512},
                               {"576x64", 8, 64, 64},
                               {"288x32", 16, 32, 32},
                               {"144x16", 32, 16, 16}};

// Four times the windows, or the cells, of one after the other.
static const Shape growing[] = {
    {"windows/64", 8, 64, 64},      {"windows/256", 16, 64, 64},
    {"windows/1024", 32, 64, 64},   {"windows/4096", 64, 64, 64},
    {"windows/16384", 128, 64, 64}, {"cells/9216", 16, 32, 32},
    {"cells/36864", 16, 64, 64},    {"cells/147456", 16, 128, 128},
    {"cells/589824", 16, 256, 256}};

// One normal deviate per conversion in `noise`; `read` has another, whose
// variance takes a product of its own.
static const Mode modes[] = {
    {"ideal", "ideal", "{}"},
    {"exact", "exact", "{}"},
    {"static", "analog", R"({"noise": {"static": 0.05}})"},
    {"noise", "analog", R"({"noise": {"static": 0.05, "adc_noise": 0.5}})"},
    {"noise10", "analog",
     R"({"noise": {"static": 0.05, "adc_noise": 0.5, "philox_rounds": 10}})"},
    {"read", "analog", R"({"noise": {"static": 0.05, "read": 0.02}})"},
    {"all", "analog",
     R"({"noise": {"static": 0.05, "read": 0.02, "adc_noise": 0.5,
                   "adc_offset": 0.25, "adc_gain": 0.01}})"},
    {"slices", "exact", R"({"input": {"slice_bits": 2}})"},
    {"serial", "exact", R"({"input": {"slice_bits": 1}})"},
    {"wires", "analog",
     R"({"lines": {"wire_resistance": 0.35, "cell_conductance": 5e-6}})"},
    {"lines", "analog",
     R"({"lines": {"compression": 0.1, "curve": "exponential",
                   "headroom": 0.9}})"},
    {"jitter", "analog", R"({"input": {"jitter": 0.2}})"},
    {"sar", "analog",
     R"({"adc": {"architecture": "sar", "capacitor_mismatch": 0.03}})"}};

static void check(cim_status status) {
  if (status == CIM_OK)
    return;
  fprintf(stderr, "cim-bench-kernels: error: %s\n",
          cim::rt::simulatorApi()->last_error());
  exit(1);
}

Bench::Bench(const Shape &shape, const Mode &mode) : shape(shape) {
  cim_device_config config = {sizeof config, mode.mode, mode.target, 1, 0, 0};
  check(api.create(&config, &device));
  std::mt19937 random(1);
  std::vector<int8_t> cells(size_t(shape.rows()) * shape.outC);
  for (int8_t &cell : cells)
    cell = int8_t(int(random() % 3) - 1);
  check(api.program(device, 0, shape.rows(), shape.outC, cells.data()));

  block = {0, 0,
           0, 0,
           0, shape.rows(),
           0, shape.outC,
           1, float(1 / std::sqrt(double(shape.rows())) / 4)};
  ones.assign(shape.outC, 1.0f);
  zeros.assign(shape.outC, 0.0f);
  layer.size = sizeof layer;
  layer.name = shape.name;
  layer.in_h = layer.in_w = layer.out_h = layer.out_w = shape.size;
  layer.in_c = shape.inC;
  layer.out_c = shape.outC;
  layer.kernel_h = layer.kernel_w = 3;
  layer.stride_h = layer.stride_w = layer.dilation_h = layer.dilation_w = 1;
  layer.pad_top = layer.pad_left = layer.groups = 1;
  layer.in_type = layer.out_type = CIM_U8;
  layer.blocks = &block;
  layer.block_count = layer.plane_count = 1;
  layer.significance = layer.scale = ones.data();
  layer.bias = zeros.data();
  layer.adc_lo = -32;
  layer.adc_hi = 31;
  layer.hi = 127;
  check(api.prepare(device, &layer));

  uint32_t pixels = images * shape.size * shape.size;
  input.resize(size_t(pixels) * shape.inC);
  for (int8_t &q : input)
    q = int8_t(random() % 128);
  output.resize(size_t(pixels) * shape.outC);
}

void Bench::run() {
  cim_stream stream = {sizeof stream, 0, 0, images, input.data(),
                       output.data()};
  check(api.stream(device, &stream));
}

static void measure(benchmark::State &state, const Shape &shape,
                    const Mode &mode, double peak) {
  Bench bench(shape, mode);
  for (auto _ : state)
    bench.run();
  using benchmark::Counter;
  state.counters["GMAC/s"] =
      Counter(bench.macs() / 1e9, Counter::kIsIterationInvariantRate);
  state.counters["of_peak"] =
      Counter(bench.macs() / peak, Counter::kIsIterationInvariantRate);
  state.counters["ns/output"] =
      Counter(bench.outputs() / 1e9,
              Counter::kIsIterationInvariantRate | Counter::kInvert);
}

/// Deviates in a row, as cells of a chip draw them.
static void drawNormals(benchmark::State &state, cim::sim::Isa isa,
                        uint32_t rounds) {
  constexpr uint32_t quads = 1024;
  std::vector<float> normals(quads * 4 + cim::sim::drawSlack);
  cim::sim::PhiloxKey key = {1, 2, rounds};
  uint32_t row = 0;
  for (auto _ : state) {
    cim::sim::PhiloxBlock first = {{0, ++row, 0, 0}};
    if (isa != cim::sim::Isa::Portable)
      cim::sim::kernelsOf(isa).drawNormals(key, first, quads, normals.data());
    else
      for (uint32_t i = 0; i < quads * 4; ++i)
        normals[i] = cim::sim::normalFromBits(
            philox(key, {{i / 4, row, 0, 0}}).word[i % 4]);
    benchmark::DoNotOptimize(normals.data());
  }
  using benchmark::Counter;
  state.counters["ns/output"] = Counter(
      quads * 4 / 1e9, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

template <typename Run>
static void add(const std::string &name, const Run &run) {
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Repetitions(7)
      ->MinTime(0.05)
      ->Unit(benchmark::kMicrosecond)
      ->ReportAggregatesOnly();
}

int main(int argc, char **argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  cim::sim::Isa isa;
  check(cim::sim::chooseIsa(isa));
  double peak = cim::bench::int8Peak(isa);
  fprintf(stderr, "int8 peak of one core (%s, register only): %.0f GMAC/s\n",
          cim::bench::isaName(isa), peak / 1e9);
  benchmark::AddCustomContext("isa", cim::bench::isaName(isa));
  benchmark::AddCustomContext("peak", std::to_string(peak));
  for (const Shape &shape : shapes)
    for (const Mode &mode : modes)
      add(std::string(mode.name) + "/" + shape.name,
          [=](benchmark::State &state) { measure(state, shape, mode, peak); });
  for (const Shape &shape : growing)
    for (const Mode &mode : {modes[1], modes[5]})
      add(std::string(mode.name) + "/" + shape.name,
          [=](benchmark::State &state) { measure(state, shape, mode, peak); });
  for (uint32_t rounds : {7, 10})
    add("normals/" + std::to_string(rounds),
        [=](benchmark::State &state) { drawNormals(state, isa, rounds); });
  benchmark::RunSpecifiedBenchmarks();
}
