// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sessions: batches, threads, noise indices, drivers, observers, failures.

#include "Session/DeviceLibrary.h"
#include "Session/HostMath.h"
#include "cim-c/runtime.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace {
constexpr uint64_t inputSize = 4 * 4 * 3, outputSize = 4 * 4 * 5;

class SessionTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(cim_model_open(TEST_MODEL, &model), CIM_OK) << cim_last_error();
    std::mt19937 random(1);
    input.resize(count * inputSize);
    for (int8_t &q : input)
      q = int8_t(int(random() % 127) - 63);
  }
  void TearDown() override { cim_model_close(model); }

  static cim_session_options optionsFor(const char *device,
                                        unsigned threads = 1) {
    cim_session_options options = {};
    options.size = sizeof options;
    options.device = device;
    options.threads = threads;
    return options;
  }

  /// Runs `samples` samples from `first` in a new session.
  std::vector<float> run(const cim_session_options &options, uint64_t first = 0,
                         uint64_t samples = count) {
    std::vector<float> output(samples * outputSize, -99.0f);
    cim_session *session = nullptr;
    error.clear();
    status = cim_session_create(model, &options, &session);
    const void *all = input.data();
    if (status == CIM_OK && calibrated)
      status = cim_session_calibrate(session, count, &all);
    if (status == CIM_OK) {
      const void *from = input.data() + first * inputSize;
      void *to = output.data();
      status = cim_session_run(session, first, samples, &from, &to);
    }
    if (status != CIM_OK)
      error = cim_last_error();
    cim_session_destroy(session);
    return output;
  }

  static constexpr uint64_t count = 7; // the batch is 2
  cim_model *model = nullptr;
  std::vector<int8_t> input;
  bool calibrated = false; // chips are, before they run
  cim_status status = CIM_OK;
  std::string error;
};
} // namespace

/// The test network, written out: see Inputs/test-model.c.
static std::vector<float> expected(const std::vector<int8_t> &input,
                                   bool ideal) {
  std::vector<float> output;
  for (size_t image = 0; image < input.size() / inputSize; ++image)
    for (int oh = 0; oh < 4; ++oh)
      for (int ow = 0; ow < 4; ++ow)
        for (int n = 0; n < 5; ++n) {
          int acc = 0;
          for (int k = 0; k < 27; ++k) {
            int ih = oh + k / 9 - 1, iw = ow + k / 3 % 3 - 1, i = k * 5 + n;
            if (ih >= 0 && ih < 4 && iw >= 0 && iw < 4)
              acc += input[image * inputSize + (ih * 4 + iw) * 3 + k % 3] *
                     ((i * 7 + i / 3) % 3 - 1);
          }
          float v = float(acc);
          if (!ideal)
            v = std::min(std::max(std::nearbyint(v * 0.25f), -32.0f), 31.0f) *
                4.0f;
          output.push_back(std::max(v * 0.5f + float(n), 0.0f));
        }
  return output;
}

TEST_F(SessionTest, ComputesTheNetwork) {
  EXPECT_EQ(run(optionsFor("exact")), expected(input, false));
  EXPECT_EQ(run(optionsFor("ideal")), expected(input, true));
  EXPECT_EQ(run(optionsFor(nullptr)), expected(input, false)); // the default
  EXPECT_EQ(error, "");
}

TEST_F(SessionTest, AnyNumberOfSamples) {
  std::vector<float> whole = expected(input, false);
  for (uint64_t samples = 0; samples <= count; ++samples)
    EXPECT_EQ(run(optionsFor("exact"), 0, samples),
              std::vector<float>(whole.begin(),
                                 whole.begin() + samples * outputSize));
}

TEST_F(SessionTest, SameBitsForAnyThreadsAndCuts) {
  std::vector<float> whole = run(optionsFor("analog", 1));
  EXPECT_EQ(error, "");
  EXPECT_NE(whole, expected(input, false));
  for (unsigned threads : {2u, 7u})
    for (int repeat = 0; repeat < 5; ++repeat)
      EXPECT_EQ(run(optionsFor("analog", threads)), whole);
  // The noise of a sample depends on its index in the experiment.
  for (uint64_t first : {1, 2, 5})
    EXPECT_EQ(
        run(optionsFor("analog"), first, count - first),
        std::vector<float>(whole.begin() + first * outputSize, whole.end()));
}

TEST_F(SessionTest, SeedsAndTrialsDiffer) {
  cim_session_options options = optionsFor("analog");
  std::vector<float> first = run(options);
  options.seed = 1;
  EXPECT_NE(run(options), first);
  options.seed = 0;
  options.trial = 1;
  EXPECT_NE(run(options), first);
}

// A chip that does what it should needs no correction; one that does not gets
// another one, whatever the threads.
TEST_F(SessionTest, CalibratedChips) {
  calibrated = true;
  EXPECT_EQ(run(optionsFor("exact")), expected(input, false));
  std::vector<float> analog = run(optionsFor("analog", 1));
  EXPECT_EQ(error, "");
  EXPECT_EQ(run(optionsFor("analog", 7)), analog);
  calibrated = false;
  EXPECT_NE(run(optionsFor("analog")), analog);
}

// A chip that fails ends its call; the others must not wait for it. Afterwards
// the chip is as it was made.
TEST_F(SessionTest, ChipsThatCannotBeCalibrated) {
  static int streams; // until one fails
  cim_device_api api = *cim::rt::simulatorApi();
  api.stream = [](cim_device *device, const cim_stream *stream) {
    return --streams == 0 ? CIM_DEVICE_ERROR
                          : cim::rt::simulatorApi()->stream(device, stream);
  };
  cim_session_options options = optionsFor(nullptr);
  options.device_api = &api;
  cim_session *session = nullptr;
  ASSERT_EQ(cim_session_create(model, &options, &session), CIM_OK);
  const void *from = input.data();
  streams = 3;
  EXPECT_EQ(cim_session_calibrate(session, count, &from), CIM_DEVICE_ERROR);
  std::vector<float> output(count * outputSize);
  void *to = output.data();
  EXPECT_EQ(cim_session_run(session, 0, count, &from, &to), CIM_OK);
  EXPECT_EQ(output, expected(input, false));
  EXPECT_EQ(cim_session_calibrate(session, 0, &from), CIM_INVALID_ARGUMENT);
  EXPECT_STREQ(cim_last_error(),
               "cim_session_calibrate: count is 0, expected samples");
  from = nullptr;
  EXPECT_EQ(cim_session_calibrate(session, 1, &from), CIM_INVALID_ARGUMENT);
  EXPECT_STREQ(cim_last_error(), "cim_session_calibrate: input 0 is null");
  EXPECT_EQ(cim_session_calibrate(nullptr, 1, &from), CIM_INVALID_ARGUMENT);
  cim_session_destroy(session);
}

namespace {
struct Observed {
  std::vector<uint64_t> counts;
  std::vector<float> values;
};
} // namespace

static void record(void *user, uint32_t value, const float *data,
                   uint64_t count) {
  auto &observed = *static_cast<Observed *>(user);
  EXPECT_EQ(value, 0u);
  observed.counts.push_back(count);
  observed.values.insert(observed.values.end(), data, data + count);
}

// The observer sees every sample once, in order, and no padding.
TEST_F(SessionTest, Observer) {
  Observed observed;
  cim_session_options options = optionsFor("exact", 7);
  options.observe = record;
  options.observe_user = &observed;
  std::vector<float> output = run(options);
  EXPECT_EQ(observed.values, output);
  EXPECT_EQ(observed.counts, (std::vector<uint64_t>{160, 160, 160, 80}));
}

TEST_F(SessionTest, Drivers) {
  EXPECT_EQ(run(optionsFor(TEST_DRIVER, 2)),
            std::vector<float>(count * outputSize, 0.0f));
  EXPECT_EQ(error, "");
  run(optionsFor(TEST_DRIVER_FAIL, 2));
  EXPECT_EQ(status, CIM_DEVICE_ERROR);
  EXPECT_EQ(error, "the chip is too hot");
  run(optionsFor(TEST_DRIVER_VERSION));
  EXPECT_EQ(status, CIM_WRONG_VERSION);
  EXPECT_EQ(error, TEST_DRIVER_VERSION
            ": the driver does not serve interface version 1");
}

TEST_F(SessionTest, DevicesThatAreNone) {
  run(optionsFor("exakt"));
  EXPECT_EQ(status, CIM_INVALID_ARGUMENT);
  EXPECT_EQ(error, "unknown device 'exakt', expected ideal, exact, analog or a "
                   "driver FILE.so");
  run(optionsFor("nothing.so"));
  EXPECT_EQ(error, "nothing.so: cannot open: No such file or directory");
  run(optionsFor(TEST_MODEL));
  EXPECT_EQ(error, TEST_MODEL ": not a device driver: symbol "
                              "cim_device_get_api is missing");
  run(optionsFor("/tmp/"));
  EXPECT_EQ(error, "/tmp/: not a device driver: not a regular file");
  cim_device_api incomplete = {};
  incomplete.size = sizeof incomplete;
  incomplete.version = CIM_DEVICE_VERSION;
  cim_session_options options = optionsFor("exact");
  options.device_api = &incomplete;
  run(options);
  EXPECT_EQ(error, "the device's table has a null function");
  incomplete.version = 2;
  run(options);
  EXPECT_EQ(status, CIM_WRONG_VERSION);
}

TEST_F(SessionTest, Misuse) {
  cim_session *session = nullptr;
  EXPECT_EQ(cim_session_create(nullptr, nullptr, &session),
            CIM_INVALID_ARGUMENT);
  EXPECT_EQ(cim_session_create(model, nullptr, nullptr), CIM_INVALID_ARGUMENT);
  cim_session_options options = {};
  EXPECT_EQ(cim_session_create(model, &options, &session),
            CIM_INVALID_ARGUMENT);
  ASSERT_EQ(cim_session_create(model, nullptr, &session), CIM_OK);
  const void *from = nullptr;
  void *to = nullptr;
  EXPECT_EQ(cim_session_run(session, 0, 1, &from, &to), CIM_INVALID_ARGUMENT);
  EXPECT_STREQ(cim_last_error(), "cim_session_run: input 0 is null");
  EXPECT_EQ(cim_session_run(nullptr, 0, 1, &from, &to), CIM_INVALID_ARGUMENT);
  cim_session_destroy(session);
  cim_session_destroy(nullptr);
}

// -64 is the smallest that the simulator takes; -128 is an error with a name.
TEST_F(SessionTest, InputsOutsideTheDac) {
  input[5] = -128;
  input[6] = 63;
  run(optionsFor("exact", 2));
  EXPECT_EQ(status, CIM_INVALID_ARGUMENT);
  EXPECT_EQ(error, "layer conv: inputs reach from -128 to 63, the DAC takes "
                   "-64 .. 63");
}

TEST(Host, NetworksWithoutLayersNeedNoDevice) {
  cim_model *model = nullptr;
  ASSERT_EQ(cim_model_open(TEST_MODEL_HOST_ONLY, &model), CIM_OK)
      << cim_last_error();
  cim_session *session = nullptr;
  ASSERT_EQ(cim_session_create(model, nullptr, &session), CIM_OK);
  std::vector<float> input(3 * 6), output(3 * 2);
  for (size_t i = 0; i < input.size(); ++i)
    input[i] = float(i);
  const void *from = input.data();
  void *to = output.data();
  ASSERT_EQ(cim_session_run(session, 0, 3, &from, &to), CIM_OK);
  EXPECT_EQ(output, (std::vector<float>{3, 12, 21, 30, 39, 48}));
  cim_session_destroy(session);
  cim_model_close(model);
}

//===----------------------------------------------------------------------===//
// Host arithmetic
//===----------------------------------------------------------------------===//

static std::vector<float> randomFloats(std::mt19937 &random, size_t count) {
  std::vector<float> values(count);
  for (float &value : values)
    value = std::uniform_real_distribution<float>(-1, 1)(random);
  return values;
}

static void expectClose(const std::vector<float> &found,
                        const std::vector<double> &exact) {
  ASSERT_EQ(found.size(), exact.size());
  for (size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], exact[i], 1e-4) << i;
}

static double convAt(const cim_conv2d_shape &s, const std::vector<float> &x,
                     const std::vector<float> &w, int n, int f, int oh,
                     int ow) {
  int perGroup = s.c / s.groups, group = f / (s.f / s.groups);
  double sum = 0;
  for (int c = 0; c < perGroup; ++c)
    for (int kh = 0; kh < s.kh; ++kh)
      for (int kw = 0; kw < s.kw; ++kw)
        sum += double(x[((size_t(n) * s.c + group * perGroup + c) * s.h +
                         oh * s.stride_h + kh * s.dilation_h) *
                            s.w +
                        ow * s.stride_w + kw * s.dilation_w]) *
               w[((size_t(f) * perGroup + c) * s.kh + kh) * s.kw + kw];
  return sum;
}

TEST(HostMath, ConvolutionsAddUp) {
  std::mt19937 random(3);
  const cim_conv2d_shape shapes[] = {
      // n c h w  f kh kw oh ow  strides dilations groups
      {2, 3, 10, 12, 5, 3, 3, 8, 10, 1, 1, 1, 1, 1},
      {1, 16, 9, 9, 32, 3, 3, 4, 4, 2, 2, 1, 1, 1},
      {1, 8, 11, 11, 8, 3, 3, 7, 7, 1, 1, 2, 2, 8},
      {2, 8, 9, 10, 12, 2, 3, 4, 3, 2, 3, 1, 1, 4},
      {1, 4, 1, 30, 6, 1, 5, 1, 26, 1, 1, 1, 1, 1},
      {1, 4, 6, 6, 7, 1, 1, 6, 6, 1, 1, 1, 1, 1},
  };
  for (const cim_conv2d_shape &s : shapes)
    for (int repeat = 0; repeat < 2; ++repeat) { // the second from the cache
      auto x = randomFloats(random, size_t(s.n) * s.c * s.h * s.w);
      auto w =
          randomFloats(random, size_t(s.f) * (s.c / s.groups) * s.kh * s.kw);
      auto y = randomFloats(random, size_t(s.n) * s.f * s.oh * s.ow);
      std::vector<double> exact(y.begin(), y.end());
      size_t at = 0;
      for (int n = 0; n < s.n; ++n)
        for (int f = 0; f < s.f; ++f)
          for (int oh = 0; oh < s.oh; ++oh)
            for (int ow = 0; ow < s.ow; ++ow)
              exact[at++] += convAt(s, x, w, n, f, oh, ow);
      ASSERT_EQ(cim::rt::addConv2D(s, x.data(), w.data(), y.data()), CIM_OK)
          << cim_last_error();
      expectClose(y, exact);
    }
}

TEST(HostMath, MatrixProductsAddUp) {
  std::mt19937 random(4);
  constexpr int batch = 3, m = 7, n = 19, k = 33;
  auto a = randomFloats(random, batch * m * k);
  auto b = randomFloats(random, batch * k * n);
  auto c = randomFloats(random, batch * m * n);
  std::vector<double> exact(c.begin(), c.end());
  for (int i = 0; i < batch * m * n; ++i)
    for (int j = 0; j < k; ++j)
      exact[i] +=
          double(a[i / n * k + j]) * b[(i / (m * n) * k + j) * n + i % n];
  ASSERT_EQ(cim::rt::addMatmul(batch, m, n, k, a.data(), b.data(), c.data()),
            CIM_OK);
  expectClose(c, exact);
}

TEST(HostMath, ImpossibleShapesAreErrors) {
  cim_conv2d_shape shape = {1, 3, 4, 4, 5, 3, 3, 2, 2, 1, 1, 1, 1, 2};
  float none = 0;
  EXPECT_EQ(cim::rt::addConv2D(shape, &none, &none, &none), CIM_UNSUPPORTED);
}
