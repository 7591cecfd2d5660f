// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening networks: files that are none, and manifests that do not hold
// together.

#include "cim-c/model.h"
#include "Model/Manifest.h"
#include "Support/Error.h"
#include "cim-c/runtime.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <zlib.h>

using Json = nlohmann::json;

/// Text of the failure to open `path`; empty when it opens.
static std::string openError(const std::string &path) {
  cim_model *model = nullptr;
  cim_status status = cim_model_open(path.c_str(), &model);
  EXPECT_EQ(status == CIM_OK, model != nullptr);
  cim_model_close(model);
  return status == CIM_OK ? "" : cim_last_error();
}

static std::string temporary(const std::string &name) {
  return testing::TempDir() + "/cim-" + std::to_string(getpid()) + "-" + name;
}

static void writeFile(const std::string &path, const std::string &content) {
  std::ofstream(path, std::ios::binary) << content;
}

static std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Model, TellsWhatItIs) {
  cim_model *model = nullptr;
  ASSERT_EQ(cim_model_open(TEST_MODEL, &model), CIM_OK) << cim_last_error();
  EXPECT_EQ(cim_model_batch(model), 2u);
  ASSERT_EQ(cim_model_input_count(model), 1u);
  ASSERT_EQ(cim_model_output_count(model), 1u);
  cim_tensor_info info = {};
  info.size = sizeof info;
  ASSERT_EQ(cim_model_input(model, 0, &info), CIM_OK);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.type, CIM_I8);
  EXPECT_EQ(info.rank, 4u);
  EXPECT_EQ(info.shape[3], 3);
  ASSERT_EQ(cim_model_output(model, 0, &info), CIM_OK);
  EXPECT_EQ(info.type, CIM_F32);
  EXPECT_EQ(cim_model_output(model, 1, &info), CIM_INVALID_ARGUMENT);
  info.size = 0;
  EXPECT_EQ(cim_model_output(model, 0, &info), CIM_INVALID_ARGUMENT);
  EXPECT_EQ(Json::parse(cim_model_manifest(model))["model"], "test");
  uint64_t size = 0;
  EXPECT_EQ(memcmp(cim_model_program(model, &size), "program", 7), 0);
  EXPECT_EQ(size, 7u);
  cim_model_close(model);
}

TEST(Model, FilesThatAreNone) {
  EXPECT_EQ(cim_model_open(nullptr, nullptr), CIM_INVALID_ARGUMENT);
  EXPECT_EQ(openError("/nonexistent/net.so"),
            "/nonexistent/net.so: cannot open: No such file or directory");
  EXPECT_EQ(openError("/tmp"),
            "/tmp: not a compiled network: not a regular file");
  std::string path = temporary("empty.so");
  writeFile(path, "");
  EXPECT_EQ(openError(path),
            path + ": not a compiled network: the file is empty");
  writeFile(path, "\xff\xd8\xff\xe0 JFIF and so on, long enough for a header"
                  "........................................");
  EXPECT_EQ(openError(path),
            path + ": not a compiled network: not an ELF shared object");
  unlink(path.c_str());
  EXPECT_EQ(openError(TEST_DRIVER),
            std::string(TEST_DRIVER) +
                ": not a compiled network: symbol cim_model_v1 is missing; was "
                "it written by cim-compile?");
}

// However short a network is cut, it is refused.
TEST(Model, TruncatedFiles) {
  std::string whole = readFile(TEST_MODEL);
  ASSERT_GT(whole.size(), 4096u);
  std::string path = temporary("cut.so");
  for (size_t parts = 0; parts < 64; ++parts) {
    size_t size = parts ? whole.size() * parts / 64 : 1;
    writeFile(path, whole.substr(0, size));
    std::string error = openError(path);
    EXPECT_NE(error.find("not a compiled network: "), std::string::npos)
        << size << " " << error;
  }
  writeFile(path, whole.substr(0, whole.size() - 1));
  EXPECT_NE(openError(path).find("truncated"), std::string::npos);
  unlink(path.c_str());
}

TEST(Model, OtherProcessorsAndFormats) {
  std::string whole = readFile(TEST_MODEL), path = temporary("other.so");
  std::string other = whole;
  other[18] = char(0x14); // e_machine: PowerPC
  writeFile(path, other);
  EXPECT_NE(openError(path).find("built for another processor (ELF machine 20"),
            std::string::npos);
  other = whole;
  other[16] = 2; // e_type: executable
  writeFile(path, other);
  EXPECT_NE(openError(path).find("not a shared object (ELF type 2"),
            std::string::npos);
  unlink(path.c_str());
}

// Whatever byte of a sealed network changes, it is refused before it is mapped.
TEST(Model, Seals) {
  std::string whole = readFile(TEST_MODEL), path = temporary("sealed.so");
  cim_seal seal = {};
  memcpy(seal.magic, CIM_SEAL_MAGIC, 8);
  seal.crc32 = uint32_t(
      crc32_z(0, reinterpret_cast<const Bytef *>(whole.data()), whole.size()));
  whole.append(reinterpret_cast<const char *>(&seal), sizeof seal);
  writeFile(path, whole);
  EXPECT_EQ(openError(path), "");
  for (size_t at = 0; at < whole.size() - sizeof seal; at += 97) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x10);
    writeFile(path, damaged);
    EXPECT_NE(openError(path).find("not a compiled network: "),
              std::string::npos)
        << at;
  }
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1; // the sum itself
  writeFile(path, damaged);
  EXPECT_NE(openError(path).find("damaged: checksum"), std::string::npos);
  unlink(path.c_str());
}

TEST(Model, DamagedImages) {
  EXPECT_EQ(openError(TEST_MODEL_BAD_MAGIC), TEST_MODEL_BAD_MAGIC
            ": symbol cim_model_v1 is not a network: wrong "
            "magic number");
  EXPECT_NE(openError(TEST_MODEL_BAD_VERSION)
                .find("interface version 2 (72 bytes), this runtime reads "
                      "version 1 (72 bytes); compile the network again"),
            std::string::npos)
      << openError(TEST_MODEL_BAD_VERSION);
  EXPECT_NE(openError(TEST_MODEL_BAD_CRC).find("data is damaged: checksum"),
            std::string::npos);
  EXPECT_NE(openError(TEST_MODEL_BAD_POINTER).find("a pointer leaves the file"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// Manifests
//===----------------------------------------------------------------------===//

namespace {
/// The manifest of the test network, to be spoiled.
class ManifestTest : public testing::Test {
protected:
  void SetUp() override {
    cim_model *model = nullptr;
    ASSERT_EQ(cim_model_open(TEST_MODEL, &model), CIM_OK) << cim_last_error();
    manifest = Json::parse(cim_model_manifest(model));
    cim_model_close(model);
    float gain = 0.25f, one = 1;
    memcpy(data + 192, &gain, 4);
    for (int i = 0; i < 5; ++i)
      for (int table : {256, 320, 384})
        memcpy(data + table + 4 * i, &one, 4);
  }

  /// What the loader says to the manifest as it is now.
  std::string error() {
    manifest["data_crc32"] = crc32(0, data, sizeof data);
    return errorOf(manifest.dump());
  }
  std::string errorOf(const std::string &text) {
    cim::rt::Manifest parsed;
    cim_status status = cim::rt::parseManifest(text.data(), text.size(), data,
                                               sizeof data, parsed);
    return status == CIM_OK ? "" : cim::rt::lastError();
  }
  void expectError(const std::string &part,
                   const std::function<void(Json &)> &spoil) {
    Json good = manifest;
    spoil(manifest);
    EXPECT_NE(error().find(part), std::string::npos)
        << "expected: " << part << "\nfound:    " << error();
    manifest = good;
  }

  Json manifest;
  alignas(64) uint8_t data[448] = {};
};
} // namespace

TEST_F(ManifestTest, GoodOnePasses) { EXPECT_EQ(error(), ""); }

TEST_F(ManifestTest, NotJson) {
  EXPECT_NE(errorOf("").find("bad manifest: "), std::string::npos);
  EXPECT_NE(errorOf("{\"format\":").find("bad manifest: "), std::string::npos);
  EXPECT_NE(errorOf("[]").find("bad manifest: "), std::string::npos);
  std::string deep(100000, '[');
  EXPECT_NE(errorOf(deep).find("bad manifest: "), std::string::npos);
}

// Every member is needed, and needed in its type.
TEST_F(ManifestTest, MissingAndMistypedMembers) {
  for (const char *key :
       {"format", "version", "model", "batch", "target", "inputs", "outputs",
        "data_crc32", "arrays", "layers"}) {
    Json good = manifest;
    manifest.erase(key);
    if (std::string(key) != "data_crc32") {
      EXPECT_NE(error(), "") << key;
    } else {
      EXPECT_NE(errorOf(manifest.dump()), "");
    }
    manifest = good;
  }
  Json layer = manifest["layers"][0];
  for (const auto &item : layer.items()) {
    expectError(item.key(), [&](Json &m) { m["layers"][0].erase(item.key()); });
    expectError("",
                [&](Json &m) { m["layers"][0][item.key()] = Json::object(); });
    EXPECT_EQ(error(), "");
  }
  expectError("layers[0] (conv) has no 'stride'",
              [](Json &m) { m["layers"][0].erase("stride"); });
}

TEST_F(ManifestTest, Header) {
  expectError("format is not 'cim-manifest'",
              [](Json &m) { m["format"] = "other"; });
  expectError("manifest version is 2, this runtime reads 1",
              [](Json &m) { m["version"] = 2; });
  expectError("batch is 0, expected 1 .. 65536",
              [](Json &m) { m["batch"] = 0; });
  expectError("manifest.batch is -1", [](Json &m) { m["batch"] = -1; });
  expectError("manifest.batch is 1.5", [](Json &m) { m["batch"] = 1.5; });
}

TEST_F(ManifestTest, Tensors) {
  expectError("inputs[0].shape begins with 3, expected the batch, 2",
              [](Json &m) { m["inputs"][0]["shape"][0] = 3; });
  expectError("inputs[0].type is 'f16', expected one of f32, i8, u8, i32, i64, "
              "bool, i16, u16, u32, u64",
              [](Json &m) { m["inputs"][0]["type"] = "f16"; });
  expectError("outputs[0].shape has no or too many elements",
              [](Json &m) { m["outputs"][0]["shape"][1] = 0; });
  expectError("outputs[0].shape has no or too many elements", [](Json &m) {
    m["outputs"][0]["shape"] = {2, 1 << 30, 1 << 30, 1 << 30};
  });
  expectError("inputs[0].shape has 9 dimensions, expected 1 .. 8", [](Json &m) {
    m["inputs"][0]["shape"] = {2, 1, 1, 1, 1, 1, 1, 1, 1};
  });
  expectError("the network has no inputs or no outputs",
              [](Json &m) { m["inputs"] = Json::array(); });
}

TEST_F(ManifestTest, Tables) {
  expectError("ends at byte 463 of 448",
              [](Json &m) { m["arrays"][0]["cells"]["offset"] = 328; });
  expectError("arrays[0].cells has 135 bytes, expected 270",
              [](Json &m) { m["arrays"][0]["rows"] = 54; });
  expectError("arrays[0].cells.offset is 18446744073709551615", [](Json &m) {
    m["arrays"][0]["cells"]["offset"] = 18446744073709551615u;
  });
  expectError("layers[0] (conv).scale is not aligned",
              [](Json &m) { m["layers"][0]["scale"]["offset"] = 321; });
  expectError("layers[0] (conv).significance has 20 bytes, expected 40",
              [](Json &m) { m["layers"][0]["planes"] = 2; });
}

TEST_F(ManifestTest, Layers) {
  auto layer = [](const char *key, Json value) {
    return [=](Json &m) { m["layers"][0][key] = value; };
  };
  expectError("id is 7, expected 0", layer("id", 7));
  expectError("in_h is 0, expected 1 .. 1048576", layer("in", {0, 4, 3}));
  expectError("in has 2 numbers, expected 3", layer("in", {4, 3}));
  expectError("do not divide into 2 groups", layer("groups", 2));
  expectError("2^31 or more elements", layer("out", {1048576, 1048576, 5}));
  expectError("2^31 or more elements", layer("dilation", {1048576, 1048576}));
  expectError("input type is f32, expected i8 or u8", layer("in_type", "f32"));
  expectError("output type is i64, expected f32, i8 or u8",
              layer("out_type", "i64"));
  expectError("ADC codes 5 .. 5",
              layer("adc", {{"lo", 5}, {"hi", 5}, {"rounding", "floor"}}));
  expectError("expected nearest-even, floor or mid-rise",
              layer("adc", {{"lo", -5}, {"hi", 5}, {"rounding", "up"}}));
  expectError("'mid-rise', expected nearest-even or floor",
              layer("out_rounding", "mid-rise"));
  expectError("output range 2 .. 1 is empty", [](Json &m) {
    m["layers"][0]["lo"] = 2;
    m["layers"][0]["hi"] = 1;
  });
  expectError("output range 0 .. inf does not fit u8", layer("out_type", "u8"));
  expectError("the layer has no blocks", [](Json &m) {
    m["layers"][0]["blocks"] = Json::array();
    m["layers"][0]["gains"]["size"] = 0;
  });
}

TEST_F(ManifestTest, Blocks) {
  // [array, row, column, plane, k, k_count, n, n_count, repeat]
  auto field = [](int index, Json value) {
    return [=](Json &m) { m["layers"][0]["blocks"][0][index] = value; };
  };
  expectError("block 0 is on array 1, but there are 1", field(0, 1));
  expectError("covers rows 1 + 27 * 1", field(1, 1));
  expectError("columns 1 + 5 of array 0, which is 27 x 5", field(2, 1));
  expectError("is of plane 1, but there are 1", field(3, 1));
  expectError("covers rows 1 + 27 and columns 0 + 5 of a 27 x 5 matrix",
              field(4, 1));
  expectError("block 0 is empty", field(5, 0));
  expectError("columns 1 + 5 of a 27 x 5 matrix", field(6, 1));
  expectError("block 0 is empty", field(7, 0));
  expectError("covers rows 0 + 27 * 2", field(8, 2));
  expectError("27 * 4294967295", field(8, 4294967295u));
  expectError("blocks[0] is -1", field(1, -1));
  expectError("blocks[0] is not a list of 9 numbers",
              [](Json &m) { m["layers"][0]["blocks"][0] = {1, 2}; });
}

TEST_F(ManifestTest, TableValues) {
  auto poke = [&](int offset, float value, const std::string &expected) {
    float good;
    memcpy(&good, data + offset, 4);
    memcpy(data + offset, &value, 4);
    EXPECT_NE(error().find(expected), std::string::npos) << error();
    memcpy(data + offset, &good, 4);
  };
  float infinity = std::numeric_limits<float>::infinity();
  poke(192, 0, "block 0 has gain 0, expected a finite number above 0");
  poke(192, -1, "block 0 has gain -1");
  poke(192, infinity, "block 0 has gain inf");
  poke(192, 1e-45f, "block 0 has significance 1 and gain");
  poke(260, std::numeric_limits<float>::quiet_NaN(), "significance nan");
  poke(324, infinity, "scale inf or bias 1 of channel 1 is not finite");
  poke(396, infinity, "scale 1 or bias inf of channel 3 is not finite");
}
