// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-bench-chip: what a chip of ResNet-18's size costs: time to program it
// with static variation, memory, and how both grow with the number of cells.
//
//   cim-bench-chip [--json]

#include "Session/DeviceLibrary.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <malloc.h>
#include <random>
#include <string>
#include <vector>

namespace {
/// A convolution, cut into blocks of 1024 x 512 cells on arrays of their own.
struct Layer {
  uint32_t kernel, inC, outC;
  uint32_t rows() const { return kernel * kernel * inC; }
  uint64_t cells() const { return uint64_t(rows()) * outC; }
};

/// ResNet-18 without its first layer and its classifier: 11.0 million weights;
/// with them 11.7.
const std::vector<Layer> resnet18 = {
    {7, 3, 64},    {3, 64, 64},   {3, 64, 64},   {3, 64, 64},   {3, 64, 64},
    {3, 64, 128},  {3, 128, 128}, {1, 64, 128},  {3, 128, 128}, {3, 128, 128},
    {3, 128, 256}, {3, 256, 256}, {1, 128, 256}, {3, 256, 256}, {3, 256, 256},
    {3, 256, 512}, {3, 512, 512}, {1, 256, 512}, {3, 512, 512}, {3, 512, 512},
    {1, 512, 1000}};

struct Mode {
  const char *name, *mode, *target;
};

struct Result {
  double seconds;     // processor time of create, program and prepare
  double bytes;       // heap
  uint64_t cells = 0; // programmed
};

struct Block {
  uint32_t k, n, kCount, nCount;
  std::vector<int8_t> cells;
};

/// A layer with the memory that it points to.
struct Prepared {
  cim_layer layer = {};
  std::vector<Block> images;
  std::vector<cim_block> blocks;
  std::vector<float> ones, zeros;
};
} // namespace

static const cim_device_api &api() { return *cim::rt::simulatorApi(); }

static void check(cim_status status) {
  if (status == CIM_OK)
    return;
  fprintf(stderr, "cim-bench-chip: error: %s\n", api().last_error());
  exit(1);
}

static Prepared makeLayer(const Layer &shape, uint32_t id, uint32_t &array) {
  std::mt19937 random(id);
  Prepared p;
  for (uint32_t k = 0; k < shape.rows(); k += 1024)
    for (uint32_t n = 0; n < shape.outC; n += 512) {
      Block b = {k,
                 n,
                 std::min(1024u, shape.rows() - k),
                 std::min(512u, shape.outC - n),
                 {}};
      b.cells.resize(size_t(b.kCount) * b.nCount);
      for (int8_t &cell : b.cells)
        cell = int8_t(int(random() % 3) - 1);
      p.blocks.push_back(
          {array++, 0, 0, 0, k, b.kCount, n, b.nCount, 1, 0.01f});
      p.images.push_back(std::move(b));
    }
  p.ones.assign(shape.outC, 1.0f);
  p.zeros.assign(shape.outC, 0.0f);
  cim_layer &l = p.layer;
  l.size = sizeof l;
  l.id = id;
  l.name = "layer";
  l.in_h = l.in_w = l.kernel_h = l.kernel_w = shape.kernel;
  l.out_h = l.out_w = l.stride_h = l.stride_w = 1;
  l.dilation_h = l.dilation_w = l.groups = l.plane_count = 1;
  l.in_c = shape.inC;
  l.out_c = shape.outC;
  l.in_type = l.out_type = CIM_U8;
  l.adc_lo = -32;
  l.adc_hi = 31;
  l.hi = 127;
  return p;
}

static double threadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

static double heapBytes() {
  struct mallinfo2 info = mallinfo2();
  return double(info.uordblks) + double(info.hblkhd);
}

static Result makeChip(std::vector<Prepared> &layers, const Mode &mode,
                       uint32_t trial) {
  Result result;
  double heap = heapBytes(), start = threadSeconds();
  cim_device_config config = {};
  config.size = sizeof config;
  config.mode = mode.mode;
  config.target = mode.target;
  config.trial = trial;
  cim_device *device = nullptr;
  check(api().create(&config, &device));
  for (Prepared &p : layers)
    for (size_t i = 0; i < p.blocks.size(); ++i) {
      const Block &b = p.images[i];
      result.cells += b.cells.size();
      check(api().program(device, p.blocks[i].array, b.kCount, b.nCount,
                          b.cells.data()));
    }
  for (Prepared &p : layers) {
    p.layer.blocks = p.blocks.data();
    p.layer.block_count = uint32_t(p.blocks.size());
    p.layer.significance = p.layer.scale = p.ones.data();
    p.layer.bias = p.zeros.data();
    check(api().prepare(device, &p.layer));
  }
  result.seconds = threadSeconds() - start;
  result.bytes = heapBytes() - heap;
  api().destroy(device);
  return result;
}

static Result median(const std::vector<Layer> &shapes, const Mode &mode) {
  std::vector<Prepared> layers;
  uint32_t array = 0;
  for (const Layer &shape : shapes)
    layers.push_back(makeLayer(shape, uint32_t(layers.size()), array));
  std::vector<Result> results;
  for (uint32_t trial = 0; trial < 7; ++trial)
    results.push_back(makeChip(layers, mode, trial));
  std::sort(
      results.begin(), results.end(),
      [](const Result &a, const Result &b) { return a.seconds < b.seconds; });
  return results[3];
}

int main() {
  const Mode modes[] = {{"exact", "exact", "{}"},
                        {"static", "analog", R"({"noise": {"static": 0.05}})"},
                        {"read+static", "analog",
                         R"({"noise": {"static": 0.05, "read": 0.02}})"}};
  printf("a chip of ResNet-18's size: median of 7, processor time of one "
         "thread\n");
  printf("%-12s %12s %10s %12s %14s\n", "mode", "cells", "ms", "ns/cell",
         "bytes/cell");
  for (const Mode &mode : modes)
    for (size_t part : {resnet18.size() - 6, resnet18.size()}) {
      Result r = median({resnet18.begin(), resnet18.begin() + part}, mode);
      printf("%-12s %12llu %10.1f %12.2f %14.2f\n", mode.name,
             (unsigned long long)r.cells, r.seconds * 1e3,
             r.seconds * 1e9 / double(r.cells), r.bytes / double(r.cells));
    }
}
