// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The simulator behind the device interface: what it refuses, and how it says
// so. Misuse is an error with a text, never a crash.

#include "RandomLayer.h"
#include "Session/DeviceLibrary.h"

#include <gtest/gtest.h>

using namespace cim::test;

static const cim_device_api &api = *cim::rt::simulatorApi();

namespace {
class DeviceTest : public testing::Test {
protected:
  void SetUp() override {
    std::mt19937 random(1);
    test = matrixLayer(random, 10, 6, 2);
    ASSERT_EQ(prepareOn(device, *test, {}), "");
    output.resize(test->outputBytes());
    stream = {sizeof stream, 0, 0, test->images, test->input.data(),
              output.data()};
  }

  void expectError(cim_status expected, cim_status found,
                   const std::string &text) {
    EXPECT_EQ(found, expected);
    EXPECT_EQ(api.last_error(), text);
  }

  /// Makes a device for a target description; its error text.
  static std::string createError(const char *mode, const char *target) {
    cim_device_config config = {sizeof config, mode, target, 0, 0, 0};
    Device made;
    return api.create(&config, &made.device) == CIM_OK ? "" : api.last_error();
  }

  std::unique_ptr<TestLayer> test;
  Device device;
  std::vector<uint8_t> output;
  cim_stream stream = {};
};
} // namespace

TEST_F(DeviceTest, Targets) {
  EXPECT_EQ(createError("exact", nullptr), "");
  EXPECT_EQ(createError("exact", "{}"), "");
  EXPECT_EQ(createError("exact", R"({"adc": {"bits": 6}, "other": 1})"), "");
  EXPECT_EQ(createError("digital", "{}"),
            "unknown mode 'digital', expected ideal, exact or analog");
  EXPECT_EQ(createError(nullptr, "{}"), "");
  EXPECT_EQ(createError("exact", R"({"noise": {"raed": 0.1}})"),
            "bad device description: noise.raed is unknown, expected one "
            "of read, static, adc_offset, adc_gain, adc_noise, "
            "philox_rounds");
  EXPECT_EQ(createError("exact", R"({"noise": {"philox_rounds": 8}})"),
            "bad device description: noise.philox_rounds is 8, expected 7 or "
            "10");
  EXPECT_EQ(createError("exact", R"({"noise": {"read": -0.1}})"),
            "bad device description: noise.read is -0.1, expected a number "
            "0 .. 1e+06");
  EXPECT_EQ(createError("exact", R"({"noise": {"read": "much"}})"),
            "bad device description: noise.read is \"much\", expected a number "
            "0 .. 1e+06");
  EXPECT_EQ(createError("exact", R"({"input": {"bits": 9}})"),
            "bad device description: input.bits is 9, expected an integer "
            "1 .. 8");
  EXPECT_EQ(createError("exact", R"({"array": {"rows": 1.5}})"),
            "bad device description: array.rows is 1.5, expected an integer "
            "1 .. 1.04858e+06");
  EXPECT_EQ(createError("exact", R"({"array": 3})"),
            "bad device description: array is not an object");
  EXPECT_EQ(createError("exact", "[]"),
            "bad device description: not an object");
  EXPECT_NE(createError("exact", "{"), "");
}

TEST_F(DeviceTest, Nulls) {
  cim_device *made = &*device.device;
  cim_device_config config = {sizeof config, "exact", "{}", 0, 0, 0};
  expectError(CIM_INVALID_ARGUMENT, api.create(&config, nullptr),
              "create: device is null");
  expectError(CIM_INVALID_ARGUMENT, api.create(nullptr, &made),
              "create: config is null");
  EXPECT_EQ(made, nullptr);
  expectError(CIM_INVALID_ARGUMENT, api.query(nullptr, nullptr),
              "query: device is null");
  expectError(CIM_INVALID_ARGUMENT, api.query(device.device, nullptr),
              "query: info is null");
  expectError(CIM_INVALID_ARGUMENT, api.program(nullptr, 0, 1, 1, nullptr),
              "program: device is null");
  expectError(CIM_INVALID_ARGUMENT,
              api.program(device.device, 0, 1, 1, nullptr),
              "program: cells is null");
  expectError(CIM_INVALID_ARGUMENT, api.prepare(nullptr, &test->layer),
              "prepare: device is null");
  expectError(CIM_INVALID_ARGUMENT, api.prepare(device.device, nullptr),
              "prepare: layer is null");
  expectError(CIM_INVALID_ARGUMENT, api.stream(nullptr, &stream),
              "stream: device is null");
  expectError(CIM_INVALID_ARGUMENT, api.stream(device.device, nullptr),
              "stream: stream is null");
  stream.output = nullptr;
  expectError(CIM_INVALID_ARGUMENT, api.stream(device.device, &stream),
              "stream: output is null");
  stream.input = nullptr;
  expectError(CIM_INVALID_ARGUMENT, api.stream(device.device, &stream),
              "stream: input is null");
  expectError(CIM_INVALID_ARGUMENT, api.wait(nullptr), "wait: device is null");
  api.destroy(nullptr);
}

// Structs of other releases: cim-device-check tries them on every function.
TEST_F(DeviceTest, Sizes) {
  struct {
    cim_stream stream;
    uint64_t more;
  } grown = {stream, 0};
  grown.stream.size = sizeof grown;
  EXPECT_EQ(api.stream(device.device, &grown.stream), CIM_OK);
  grown.more = 1;
  expectError(CIM_UNSUPPORTED, api.stream(device.device, &grown.stream),
              "stream: stream has 48 bytes and sets one that this release, "
              "with 40 bytes, does not know");
  stream.size = 8;
  expectError(CIM_INVALID_ARGUMENT, api.stream(device.device, &stream),
              "stream: stream has 8 bytes, expected at least 40: is size set?");
}

TEST_F(DeviceTest, Query) {
  cim_device_info info = {};
  info.size = sizeof info;
  ASSERT_EQ(api.query(device.device, &info), CIM_OK);
  EXPECT_STREQ(info.name, "simulator (exact)");
  EXPECT_EQ(info.array_count, 0u);
  EXPECT_EQ(info.cell_lo, -1);
  EXPECT_EQ(info.input_bits, 7u);
}

TEST_F(DeviceTest, WrongOrder) {
  stream.layer = 5;
  expectError(CIM_WRONG_STATE, api.stream(device.device, &stream),
              "stream: layer 5 has not been prepared");
  int8_t cell = 0;
  expectError(CIM_WRONG_STATE, api.program(device.device, 0, 1, 1, &cell),
              "program: a layer has been prepared already");
  Device fresh;
  cim_device_config config = {sizeof config, "exact", "{}", 0, 0, 0};
  ASSERT_EQ(api.create(&config, &fresh.device), CIM_OK);
  expectError(CIM_INVALID_ARGUMENT, api.prepare(fresh.device, &test->layer),
              "block 0 is on array 0, but there are 0");
}

TEST_F(DeviceTest, Cells) {
  Device fresh;
  cim_device_config config = {sizeof config,
                              "exact",
                              R"({"array": {"rows": 4, "columns": 2}})",
                              0,
                              0,
                              0};
  ASSERT_EQ(api.create(&config, &fresh.device), CIM_OK);
  std::vector<int8_t> cells(10);
  expectError(CIM_INVALID_ARGUMENT,
              api.program(fresh.device, 0, 5, 2, cells.data()),
              "5 x 2 cells do not fit an array of 4 x 2");
  cells[3] = 2;
  expectError(CIM_INVALID_ARGUMENT,
              api.program(fresh.device, 0, 4, 2, cells.data()),
              "cell (1, 1) is 2, cells hold -1 .. 1");
}

TEST_F(DeviceTest, LayersBeyondTheSimulator) {
  test->layer.id = 70000;
  expectError(CIM_UNSUPPORTED, api.prepare(device.device, &test->layer),
              "layer id 70000, the simulator takes at most 65535");
  // 200 cells of +-1 on one weight are more than 7 bits.
  std::mt19937 random(2);
  auto wide = matrixLayer(random, 200, 1, 1);
  for (int8_t &cell : wide->arrays[0].cells)
    cell = 1;
  wide->layer.in_c = 1;
  wide->blocks[0].k_count = 1;
  wide->blocks[0].repeat = 200;
  wide->finish();
  Device other;
  EXPECT_EQ(prepareOn(other, *wide, {}),
            "block 0: the cells of one weight add up to 200 (squares 0), the "
            "simulator holds -127 .. 127");
}

TEST_F(DeviceTest, ImagesBeyondTheCounter) {
  stream.first_image = uint64_t(1) << 32;
  expectError(CIM_UNSUPPORTED, api.stream(device.device, &stream),
              "stream: image 4294967296, the simulator numbers images with 32 "
              "bits");
  stream.first_image = 0;
  stream.image_count = 0;
  EXPECT_EQ(api.stream(device.device, &stream), CIM_OK);
}

TEST_F(DeviceTest, InputsBeyondTheDac) {
  test->layer.in_type = CIM_U8;
  test->input[3] = int8_t(200);
  for (const char *isa : {"portable", ""}) {
    DeviceOptions options;
    options.isa = isa;
    std::string error;
    runOn(*test, options, error);
    EXPECT_NE(error.find("layer matrix: inputs reach from 0 to "),
              std::string::npos)
        << error;
    EXPECT_NE(error.find(", the DAC takes 0 .. 127"), std::string::npos);
  }
}
