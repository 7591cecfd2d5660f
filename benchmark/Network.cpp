// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-bench-network: images per second of a whole compiled network.
//
//   cim-bench-network NET.so X.npy [--images=N] [--threads=T]
//
// Runs the first N images (default 1000) seven times on every device and prints
// the median by wall clock and per second of processor time. The second does
// not depend on what else the machine does; times the threads it is what a
// quiet machine would reach.

#include "Npy/Npy.h"
#include "Peak.h"
#include "cim-c/runtime.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

namespace {
struct Arguments {
  const char *network = nullptr, *input = nullptr;
  uint64_t images = 1000;
  uint32_t threads = 0;
};

struct Times {
  double wall, processor;
};
} // namespace

[[noreturn]] static void die(const std::string &text) {
  fprintf(stderr, "cim-bench-network: error: %s\n", text.c_str());
  exit(1);
}

static void check(cim_status status) {
  if (status != CIM_OK)
    die(cim_last_error());
}

static Arguments parse(int argc, char **argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--images=", 9) == 0)
      arguments.images = strtoull(argv[i] + 9, nullptr, 10);
    else if (strncmp(argv[i], "--threads=", 10) == 0)
      arguments.threads = uint32_t(strtoul(argv[i] + 10, nullptr, 10));
    else if (!arguments.network)
      arguments.network = argv[i];
    else
      arguments.input = argv[i];
  }
  if (!arguments.input || arguments.images == 0) {
    fprintf(stderr, "usage: cim-bench-network NET.so X.npy [--images=N] "
                    "[--threads=T]\n");
    exit(2);
  }
  if (arguments.threads == 0)
    arguments.threads = std::max(1u, std::thread::hardware_concurrency());
  return arguments;
}

static uint64_t sampleBytes(const cim_tensor_info &info) {
  uint64_t bytes = info.type == CIM_F32 || info.type == CIM_I32 ? 4
                   : info.type == CIM_I64                       ? 8
                                                                : 1;
  for (uint32_t d = 1; d < info.rank; ++d)
    bytes *= uint64_t(info.shape[d]);
  return bytes;
}

static Times runOnce(cim_session *session, uint64_t images, const void *input,
                     void *const *outputs) {
  auto start = std::chrono::steady_clock::now();
  clock_t used = clock();
  check(cim_session_run(session, 0, images, &input, outputs));
  std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return {wall.count(), double(clock() - used) / CLOCKS_PER_SEC};
}

static void measure(cim_model *model, const char *device,
                    const Arguments &arguments, const void *input) {
  std::vector<std::vector<uint8_t>> storage;
  std::vector<void *> outputs;
  for (uint32_t i = 0; i < cim_model_output_count(model); ++i) {
    cim_tensor_info info = {};
    info.size = sizeof info;
    check(cim_model_output(model, i, &info));
    storage.emplace_back(sampleBytes(info) * arguments.images);
    outputs.push_back(storage.back().data());
  }
  cim_session_options options = {};
  options.size = sizeof options;
  options.device = device;
  options.threads = arguments.threads;
  cim_session *session = nullptr;
  check(cim_session_create(model, &options, &session));
  std::vector<double> wall, processor;
  runOnce(session, arguments.images, input, outputs.data()); // warm up
  for (int i = 0; i < 7; ++i) {
    Times t = runOnce(session, arguments.images, input, outputs.data());
    wall.push_back(double(arguments.images) / t.wall);
    processor.push_back(double(arguments.images) / t.processor);
  }
  cim_session_destroy(session);
  std::sort(wall.begin(), wall.end());
  std::sort(processor.begin(), processor.end());
  printf("%-8s %12.0f %22.0f %18.0f\n", device, wall[3], processor[3],
         processor[3] * arguments.threads);
}

int main(int argc, char **argv) {
  Arguments arguments = parse(argc, argv);
  cim_model *model = nullptr;
  check(cim_model_open(arguments.network, &model));
  cim_tensor_info info = {};
  info.size = sizeof info;
  check(cim_model_input(model, 0, &info));
  std::string error;
  auto data = cim::npy::read(arguments.input, error);
  if (!data)
    die(error);
  if (cim_model_input_count(model) != 1 || data->shape.empty() ||
      data->bytes.size() != sampleBytes(info) * uint64_t(data->shape[0]))
    die("expected a network with one input, and samples of its type");
  arguments.images =
      std::min<uint64_t>(arguments.images, uint64_t(data->shape[0]));

  cim::sim::Isa isa;
  check(cim::sim::chooseIsa(isa));
  printf("int8 peak of one core (%s): %.0f GMAC/s\n", cim::bench::isaName(isa),
         cim::bench::int8Peak(isa) / 1e9);
  printf("%llu images, %u threads, median of 7, images/s:\n",
         (unsigned long long)arguments.images, arguments.threads);
  printf("device     wall clock  per processor second      times threads\n");
  for (const char *device : {"ideal", "exact", "analog"})
    measure(model, device, arguments, data->bytes.data());
  cim_model_close(model);
}
