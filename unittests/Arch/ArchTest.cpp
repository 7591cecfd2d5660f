// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What passes read from a valid description.

#include "Example.h"
#include "cim/Cost/Cost.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace cim;

static Arch parseOk(llvm::StringRef text) {
  auto arch = parseText(text);
  if (!arch) {
    ADD_FAILURE() << llvm::toString(arch.takeError());
    std::abort();
  }
  return *arch;
}

TEST(Arch, ReadsEveryField) {
  Arch arch = parseOk(kExample);
  EXPECT_EQ(arch.name(), "tiny");
  EXPECT_EQ(arch.description(), "a small chip");
  EXPECT_FALSE(arch.isHost());
  EXPECT_FALSE(arch.isProjection());
  EXPECT_EQ(arch.arrayRows(), 64);
  EXPECT_EQ(arch.arrayColumns(), 32);
  EXPECT_EQ(arch.arrayCount(), 4);
  EXPECT_EQ(arch.cellLo(), -1);
  EXPECT_EQ(arch.cellHi(), 1);
  EXPECT_EQ(arch.maxCellsPerWeight(), 8);
  EXPECT_EQ(arch.inputBits(), 7);
  EXPECT_TRUE(arch.acceptsSignedInput());
  EXPECT_TRUE(arch.acceptsUnsignedInput());
  EXPECT_EQ(arch.adcRounding(), Arch::Rounding::NearestEven);
  EXPECT_DOUBLE_EQ(arch.mvmTime().value, 50e-9);
  EXPECT_DOUBLE_EQ(arch.digitalClock().value, 1e9);
  EXPECT_FALSE(arch.energy());
  EXPECT_FALSE(arch.area());
  EXPECT_FALSE(arch.rowWriteTime());
}

TEST(Arch, CodeRanges) {
  Arch arch = parseOk(kExample);
  EXPECT_EQ(arch.signedInputRange().lo, -63);
  EXPECT_EQ(arch.signedInputRange().hi, 63);
  EXPECT_EQ(arch.unsignedInputRange().lo, 0);
  EXPECT_EQ(arch.unsignedInputRange().hi, 127);
  EXPECT_EQ(arch.adcLo(), -31);
  EXPECT_EQ(arch.adcHi(), 31);
  arch = parseOk(edited(kExample, "symmetric", "twos-complement"));
  EXPECT_EQ(arch.adcLo(), -32);
  EXPECT_EQ(arch.adcHi(), 31);
}

TEST(Arch, MissingNoiseIsAnUnsourcedDefault) {
  Arch arch = parseOk(kExample);
  EXPECT_DOUBLE_EQ(arch.noise().read.value, 0.02);
  EXPECT_FALSE(arch.noise().read.isSourced());
  EXPECT_DOUBLE_EQ(arch.noise().staticVariation.value, 0.05);
  EXPECT_DOUBLE_EQ(arch.noise().adcGain.value, 0);
  EXPECT_DOUBLE_EQ(arch.noise().adcOffset.value, 0.5);
  EXPECT_TRUE(arch.noise().adcOffset.isSourced());
}

TEST(Arch, UnlimitedArrays) {
  EXPECT_EQ(
      parseOk(edited(kExample, "count: 4", "count: unlimited")).arrayCount(),
      0);
}

TEST(Arch, QuotedAndFoldedTextReadsAsPlain) {
  std::string text = edited(kExample, "a small chip", ">-\n  a small\n  chip");
  EXPECT_EQ(parseOk(edited(text, "50 ns", "\"50 ns\"")).mvmTime().value,
            parseOk(kExample).mvmTime().value);
}

TEST(Arch, WindowsLineEndsReadAsPlain) {
  std::string text;
  for (char c : llvm::StringRef(kExample))
    text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(parseOk(text).deviceJson(), parseOk(kExample).deviceJson());
}

// The simulator reads this object: a changed key breaks every compiled model.
TEST(Arch, DeviceJson) {
  auto json = llvm::json::parse(parseOk(kExample).deviceJson());
  ASSERT_TRUE(bool(json)) << llvm::toString(json.takeError());
  auto expected = llvm::json::parse(R"({
    "array": {"rows": 64, "columns": 32, "count": 4,
              "cell_lo": -1, "cell_hi": 1},
    "input": {"bits": 7},
    "adc": {"bits": 6, "lo": -31, "hi": 31, "rounding": "nearest-even"},
    "noise": {"read": 0.02, "static": 0.05, "adc_offset": 0.5,
              "adc_gain": 0, "adc_noise": 0}})");
  ASSERT_TRUE(bool(expected));
  EXPECT_EQ(*json, *expected);
}

TEST(Arch, PhysicsTravelsInTheDeviceObject) {
  std::string text = edited(kExample, "noise:", R"(cells:
  mapping: offset
  dependence: additive
  on_off: { value: 100, source: t }
  faults: [[0, all, 3, 1], [2, 5, 31, -1]]
  program: [0.01, -0.5]
  drift_start: { value: 2 d, source: t }
  compensation: global
  source: t
lines:
  compression: { value: 150 %, source: t }
  source: t
noise:)");
  text = edited(text, "bits: 6",
                "bits: 2\n  dnl: [0.5, -0.25]\n  columns_per_adc: 8");
  auto json = llvm::json::parse(parseOk(text).deviceJson());
  ASSERT_TRUE(bool(json)) << llvm::toString(json.takeError());
  auto cells = llvm::json::parse(R"({
    "mapping": "offset", "dependence": "additive", "on_off": 100,
    "faults": [[0, -1, 3, 1], [2, 5, 31, -1]], "program": [0.01, -0.5],
    "drift_start": 172800, "compensation": "global"})");
  auto lines = llvm::json::parse(R"({"compression": 1.5})");
  auto adc = llvm::json::parse(R"({
    "bits": 2, "lo": -1, "hi": 1, "rounding": "nearest-even",
    "inl": [0, 0.5, 0.25], "columns_per_adc": 8})");
  ASSERT_TRUE(cells && lines && adc);
  const llvm::json::Object &device = *json->getAsObject();
  EXPECT_EQ(*device.get("cells"), *cells);
  EXPECT_EQ(*device.get("lines"), *lines);
  EXPECT_EQ(*device.get("adc"), *adc);
}

TEST(Arch, UnitsAreConverted) {
  for (auto [text, seconds] :
       std::initializer_list<std::pair<llvm::StringRef, double>>{
           {"50ns", 50e-9},
           {"50000 ps", 50e-9},
           {"0.05 us", 50e-9},
           {"5e-8 s", 50e-9},
           {"5E-5 ms", 50e-9},
           {"+50. ns", 50e-9}})
    EXPECT_DOUBLE_EQ(parseOk(edited(kExample, "50 ns", text)).mvmTime().value,
                     seconds)
        << text.str();
}

TEST(Arch, HostNeedsNoArrays) {
  Arch arch = parseOk("name: h\ndescription: d\nkind: host\n");
  EXPECT_TRUE(arch.isHost());
  EXPECT_EQ(arch.deviceJson(), "{}");
}

// The complete example of docs/Targets.md is one.
TEST(Arch, DocumentedExampleIsValid) {
  auto file = llvm::MemoryBuffer::getFile(CIM_DOCS "/Targets.md");
  ASSERT_TRUE(bool(file)) << file.getError().message();
  llvm::StringRef example =
      (*file)->getBuffer().split("```yaml\n").second.split("```").first;
  Arch arch = parseOk(example);
  EXPECT_EQ(arch.name(), "my-chip");
  for (const Arch::Anchor &anchor : arch.anchors())
    EXPECT_TRUE(cost::reproduces(arch, anchor));
}
