// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Wrong descriptions: one error each, at the exact place.

#include "Example.h"
#include "llvm/ADT/Twine.h"

using namespace cim;

/// "line:column: message" of the error, or "valid".
static std::string errorOf(llvm::StringRef text) {
  auto arch = parseText(text);
  if (arch)
    return "valid";
  std::string result;
  unsigned count = 0;
  llvm::handleAllErrors(arch.takeError(), [&](const TargetError &error) {
    ++count;
    EXPECT_EQ(error.getFile(), "t.yaml");
    result = (llvm::Twine(error.getLine()) + ":" +
              llvm::Twine(error.getColumn()) + ": " + error.getMessage())
                 .str();
  });
  EXPECT_EQ(count, 1u);
  return result;
}

namespace {
struct BadCase {
  const char *from, *to, *error;
};
} // namespace

class BadTarget : public testing::TestWithParam<BadCase> {};

TEST_P(BadTarget, OneErrorAtThePlace) {
  const BadCase &bad = GetParam();
  EXPECT_EQ(errorOf(edited(kExample, bad.from, bad.to)), bad.error);
}

// clang-format off
static const BadCase kKeys[] = {
    {"  rows", "  row", "5:3: unknown key 'row' in 'array': did you mean 'rows'?"},
    {"array:", "Array:", "4:1: unknown key 'Array' in the target: did you mean 'array'?"},
    {"  rounding", "  roundings", "18:3: unknown key 'roundings' in 'adc': did you mean 'rounding'?"},
    {"  rows: 64", "  xyzzy: 64", "5:3: unknown key 'xyzzy' in 'array': expected one of rows, columns, count, cell_levels, max_cells_per_weight, source"},
    {"  rows: 64\n", "", "4:1: missing key 'rows' in 'array'"},
    {"kind: crossbar\n", "", "1:1: missing key 'kind' in the target"},
    {"kind: crossbar", "kind: host", "4:1: unknown key 'array' in a target of kind 'host': expected one of name, description, kind"},
    {"kind: crossbar", "kind: crosbar", "3:7: unknown value 'crosbar' for 'kind': did you mean 'crossbar'?"},
    {"name: tiny", "name:", "1:1: key 'name' has no value"},
    {"name: tiny", "name: ''", "1:7: 'name' is empty"},
    {"name: tiny", "name: [tiny]", "1:7: expected one value for 'name', found a list"},
    {"  columns: 32", "  rows: 32", "6:3: key 'rows' appears twice"},
    {"kind: crossbar", "kind: crossbar\nprojection: yes", "4:13: unknown value 'yes' for 'projection': expected one of false, true"},
    {"source: t }", "}", "22:8: missing key 'source' in 'mvm'"},
    {"{ value: 50 ns, source: t }", "50 ns", "22:8: expected 'mvm: { value: ..., source: \"where the value comes from\" }'"},
    {"{ value: 50 ns, source: t }", "{ value: 50 ns, source: '' }", "22:32: 'source' is empty"},
    {"{ value: 50 ns, source: t }", "{ valeu: 50 ns, source: t }", "22:10: unknown key 'valeu' in 'mvm': did you mean 'value'?"},
};

static const BadCase kShapes[] = {
    {"input:\n  bits: 7\n  signs: both\n  encoding: pulse-width\n  source: test\n", "input: 7\n", "11:8: expected 'key: value' lines in 'input'"},
    {"input:\n  bits: 7\n  signs: both\n  encoding: pulse-width\n  source: test\n", "input:\n", "11:1: key 'input' has no value"},
    {"input:\n  bits: 7\n  signs: both\n  encoding: pulse-width\n  source: test\n", "input:\n- bits: 7\n", "11:1: expected 'key: value' lines in 'input'"},
    {"50 ns", "{ value: 50 ns }", "22:17: expected one value for 'value', found a mapping"},
    {"[-1, 1]", "[[-1], 1]", "8:16: expected the smallest and largest level of a cell, from -127 to 127, such as [-1, 1]"},
    {"[-1, 1]", "[]", "8:16: expected the smallest and largest level of a cell, from -127 to 127, such as [-1, 1]"},
    {"[-1, 1]", "[0, 127]", "8:16: expected levels that leave room for the static variation: level * (1 + 4 * noise.static) is at most 127"},
    {"noise:", "anchors: [1]\nnoise:", "24:11: expected 'key: value' lines in an anchor"},
    {"noise:", "anchors:\n  - metric: efficiency\n    value: 1 TOP/s/W\nnoise:", "25:5: missing key 'source' in an anchor"},
    {"noise:", "? [a]\n: b\nnoise:", "24:3: expected 'key: value'"},
};

static const BadCase kValues[] = {
    {"rows: 64", "rows: 0", "5:9: expected a whole number from 1 to 1048576 for 'rows', found '0'"},
    {"rows: 64", "rows: 64.5", "5:9: expected a whole number from 1 to 1048576 for 'rows', found '64.5'"},
    {"rows: 64", "rows: 1e3", "5:9: expected a whole number from 1 to 1048576 for 'rows', found '1e3'"},
    {"rows: 64", "rows: 0x40", "5:9: expected a whole number from 1 to 1048576 for 'rows', found '0x40'"},
    {"rows: 64", "rows: 99999999999999999999", "5:9: expected a whole number from 1 to 1048576 for 'rows', found '99999999999999999999'"},
    {"rows: 64", "rows: nan", "5:9: expected a whole number from 1 to 1048576 for 'rows', found 'nan'"},
    {"count: 4", "count: none", "7:10: expected 'unlimited' or a whole number of arrays for 'count', found 'none'"},
    {"count: 4", "count: 0", "7:10: expected 'unlimited' or a whole number of arrays for 'count', found '0'"},
    {"[-1, 1]", "[1, -1]", "8:16: expected levels, smallest first, that include 0 and 1, found [1, -1]"},
    {"[-1, 1]", "[0, 0]", "8:16: expected levels, smallest first, that include 0 and 1, found [0, 0]"},
    {"[-1, 1]", "[-1, 0, 1]", "8:16: expected the smallest and largest level of a cell, from -127 to 127, such as [-1, 1]"},
    {"[-1, 1]", "[-200, 1]", "8:16: expected the smallest and largest level of a cell, from -127 to 127, such as [-1, 1]"},
    {"[-1, 1]", "ternary", "8:16: expected the smallest and largest level of a cell, from -127 to 127, such as [-1, 1]"},
    {"bits: 7", "bits: 9", "12:9: expected a whole number from 2 to 8 for 'bits', found '9'"},
    {"bits: 7", "bits: 1", "12:9: expected a whole number from 2 to 8 for 'bits', found '1'"},
    {"bits: 6", "bits: 0", "17:9: expected a whole number from 2 to 16 for 'bits', found '0'"},
    {"bits: 6", "bits: 17", "17:9: expected a whole number from 2 to 16 for 'bits', found '17'"},
    {"bits: 6", "bits: 1", "17:9: expected a whole number from 2 to 16 for 'bits', found '1'"},
    {"nearest-even", "nearest", "18:13: unknown value 'nearest' for 'rounding': expected one of nearest-even, floor, mid-rise"},
    {"range: symmetric", "range: [-31, 31]", "19:10: expected one value for 'range', found a list"},
    {"pulse-width", "thermometer", "14:13: unknown value 'thermometer' for 'encoding': expected one of pulse-width, bit-serial, sliced"},
    {"50 ns", "50", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found '50'"},
    {"50 ns", "50 mm2", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found '50 mm2'"},
    {"50 ns", "fast", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found 'fast'"},
    {"50 ns", "nan ns", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found 'nan ns'"},
    {"50 ns", "1e999 ns", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found '1e999 ns'"},
    {"50 ns", "0 ns", "22:17: expected more than 0, found '0 ns'"},
    {"50 ns", "-50 ns", "22:17: expected more than 0, found '-50 ns'"},
    {"50 ns", "5-0 ns", "22:17: expected a time such as '44.4 ns' (units: ps ns us ms s h d y), found '5-0 ns'"},
    {"0.5 lsb", "-0.5 lsb", "25:24: expected 0 or more, found '-0.5 lsb'"},
    {"adc_offset: { value: 0.5 lsb", "read: { value: 101 %", "25:18: expected at most 100 %, found '101 %'"},
    {"adc_offset: { value: 0.5 lsb", "read: { value: 0.02", "25:18: expected a percentage such as '2 %', found '0.02'"},
    {"noise:", "anchors: none\nnoise:", "24:10: expected a list of anchors, each '- { metric: ..., value: ..., source: ... }'"},
    {"noise:", "anchors:\n  - { metric: speed, value: 1 TOP/s, source: t }\nnoise:", "25:15: unknown value 'speed' for 'metric': expected one of throughput, throughput_density, efficiency, cell_density"},
    {"noise:", "anchors:\n  - { metric: efficiency, value: 1 TOP/s, source: t }\nnoise:", "25:34: expected an efficiency such as '1300 TOP/s/W' (units: GOP/s/W TOP/s/W POP/s/W), found '1 TOP/s'"},
    {"noise:", "anchors:\n  - { metric: efficiency, value: 1 TOP/s/W, supply: 1 V, source: t }\nnoise:", "25:53: anchor at a supply voltage needs the section 'supply'"},
};

static const BadCase kPhysics[] = {
    {"noise:", "cells: 3\nnoise:", "24:8: expected 'key: value' lines in 'cells'"},
    {"noise:", "cells:\n  maping: offset\n  source: t\nnoise:", "25:3: unknown key 'maping' in 'cells': did you mean 'mapping'?"},
    {"noise:", "cells:\n  mapping: offset\nnoise:", "24:1: missing key 'source' in 'cells'"},
    {"noise:", "cells:\n  mapping: twice\n  source: t\nnoise:", "25:12: unknown value 'twice' for 'mapping': expected one of differential, offset"},
    {"noise:", "cells:\n  model: pcmm\n  source: t\nnoise:", "25:10: unknown value 'pcmm' for 'model': did you mean 'pcm'?"},
    {"noise:", "cells:\n  on_off: { value: 1, source: t }\n  source: t\nnoise:", "25:20: expected more than 1, found '1'"},
    {"noise:", "cells:\n  stuck_on: { value: 60 %, source: t }\n  stuck_off: { value: 50 %, source: t }\n  source: t\nnoise:", "26:14: expected 'stuck_on' and 'stuck_off' to be at most 100 % together"},
    {"noise:", "cells:\n  faults: 3\n  source: t\nnoise:", "25:11: expected a list of at most 100000 faults, each [array, row, column, level]"},
    {"noise:", "cells:\n  faults: [[0, 1, 2]]\n  source: t\nnoise:", "25:12: expected a fault: [array, row, column, level], row and column may be 'all'"},
    {"noise:", "cells:\n  faults: [[0, 64, all, 0]]\n  source: t\nnoise:", "25:12: expected a fault within the arrays and the levels of a cell"},
    {"noise:", "cells:\n  faults: [[0, all, 3, 2]]\n  source: t\nnoise:", "25:12: expected a fault within the arrays and the levels of a cell"},
    {"noise:", "cells:\n  program: [1, 2, 3, 4, 5, 6]\n  source: t\nnoise:", "25:12: expected a list of 1 to 5 numbers for 'program'"},
    {"noise:", "cells:\n  program: [1, x]\n  source: t\nnoise:", "25:16: expected a number from -1e6 to 1e6 in 'program', found 'x'"},
    {"noise:", "cells:\n  model: pcm\n  drift: { value: 0.1, source: t }\n  source: t\nnoise:", "26:10: 'drift' belongs to cells without a 'model': a model brings its own"},
    {"noise:", "cells:\n  drift_start: { value: 0 s, source: t }\n  source: t\nnoise:", "25:25: expected more than 0, found '0 s'"},
    {"noise:", "lines:\n  curve: straight\n  source: t\nnoise:", "25:10: unknown value 'straight' for 'curve': expected one of rational, exponential"},
    {"noise:", "lines:\n  attenuation: { value: 120 %, source: t }\n  source: t\nnoise:", "25:25: expected at most 100 %, found '120 %'"},
    {"noise:", "lines:\n  headroom: { value: 0 %, source: t }\n  source: t\nnoise:", "25:22: expected more than 0, found '0 %'"},
    {"noise:", "lines:\n  wire_resistance: { value: 1 ohm, source: t }\n  source: t\nnoise:", "25:20: 'wire_resistance' needs 'cell_conductance'"},
    {"noise:", "lines:\n  temperature: { value: 20 C, source: t }\n  source: t\nnoise:", "25:25: expected a temperature such as '300 K', found '20 C'"},
    {"pulse-width", "pulse-width\n  slice_bits: 2", "15:15: 'slice_bits' needs 'encoding: bit-serial' or 'encoding: sliced'"},
    {"pulse-width", "bit-serial\n  slice_bits: 2", "15:15: 'slice_bits' needs 'encoding: sliced'; bit-serial slices have one bit"},
    {"pulse-width", "bit-serial\n  jitter: { value: 1 %, source: t }", "15:11: 'jitter' needs 'encoding: pulse-width'"},
    {"pulse-width", "sliced", "11:1: missing key 'slice_bits' in 'input'"},
    {"pulse-width", "sliced\n  slice_bits: 9", "15:15: expected a whole number from 1 to 8 for 'slice_bits', found '9'"},
    {"nearest-even", "mid-rise", "19:10: mid-rise codes are symmetric by themselves: expected 'range: twos-complement'"},
    {"range: symmetric", "range: symmetric\n  architecture: flash", "20:17: unknown value 'flash' for 'architecture': expected one of ideal, ramp, sar, sar-split"},
    {"range: symmetric", "range: symmetric\n  capacitor_mismatch: { value: 1 %, source: t }", "20:23: 'capacitor_mismatch' needs an 'architecture' with a DAC: ramp, sar or sar-split"},
    {"range: symmetric", "range: symmetric\n  inl: [0, 1]", "20:8: expected a list of 63 numbers for 'inl'"},
    {"bits: 6", "bits: 12\n  dnl: [0, 1]", "18:8: 'dnl' takes converters of at most 10 bits"},
    {"range: symmetric", "range: symmetric\n  columns_per_adc: 0", "20:20: expected a whole number from 1 to 1048576 for 'columns_per_adc', found '0'"},
    {"range: symmetric", "range: symmetric\n  calibration_reads: 1", "20:22: expected a whole number from 2 to 65536 for 'calibration_reads', found '1'"},
    {"range: symmetric", "range: symmetric\n  architecture: sar\n  amplifier_gain: { value: 60, source: t }", "21:28: expected a gain such as '60 dB', found '60'"},
};

static const BadCase kSyntax[] = {
    {"array:", "array", "6:10: invalid YAML: expected 'key: value', indented like the lines around it"},
    {"[-1, 1]", "[-1, 1", "10:9: invalid YAML: expected , between entries"},
    {"{ value: 50 ns, source: t }", "{ value: 50 ns, source: t", "23:16: invalid YAML: unexpected token. Expected Key, Flow Entry, or Flow Mapping End"},
    {"a small chip", "\"a small chip", "25:44: invalid YAML: expected quote at end of scalar"},
    {"  rows: 64", "\trows: 64", "5:1: tab in the indentation: use spaces"},
    {"  rows: 64", "     rows: 64", "6:10: invalid YAML: expected 'key: value', indented like the lines around it"},
    {"a small chip", "&chip x", "2:14: anchors and aliases are not supported: write the value out"},
    {"a small chip", "*chip", "2:14: anchors and aliases are not supported: write the value out"},
    {"a small chip", "!!str x", "2:14: tags are not supported, found '!!str'"},
    {"a small chip", "a\x01z", "2:15: not a text file: control character"},
    {"a small chip", "\xff", "2:14: not a text file: invalid UTF-8"},
    {"noise:", "---\nnoise:", "25:1: expected one document, found several"},
};

// clang-format on

INSTANTIATE_TEST_SUITE_P(Keys, BadTarget, testing::ValuesIn(kKeys));
INSTANTIATE_TEST_SUITE_P(Shapes, BadTarget, testing::ValuesIn(kShapes));
INSTANTIATE_TEST_SUITE_P(Values, BadTarget, testing::ValuesIn(kValues));
INSTANTIATE_TEST_SUITE_P(Physics, BadTarget, testing::ValuesIn(kPhysics));
INSTANTIATE_TEST_SUITE_P(Syntax, BadTarget, testing::ValuesIn(kSyntax));

TEST(BadTargetFile, NothingInTheFile) {
  EXPECT_EQ(errorOf(""), "1:1: file is empty");
  EXPECT_EQ(errorOf(" \n\n"), "1:1: file is empty");
  EXPECT_EQ(errorOf("# only a comment\n"),
            "1:1: expected a target description: 'key: value' lines");
  EXPECT_EQ(errorOf("[1, 2]"),
            "1:1: expected a target description: 'key: value' lines");
}

TEST(BadTargetFile, NotText) {
  EXPECT_EQ(errorOf(llvm::StringRef("name\0", 5)),
            "1:5: not a text file: control character");
  EXPECT_EQ(errorOf("\xff\xd8\xff\xe0 a JPEG"),
            "1:1: not a text file: invalid UTF-8");
}

TEST(BadTargetFile, TooLarge) {
  std::string text(kExample);
  text.resize((1 << 20) + 1, '#');
  EXPECT_EQ(errorOf(text),
            "1:1: file is too large for a target description: 1048577 bytes, "
            "at most 1048576");
}

TEST(BadTargetFile, TooDeep) {
  EXPECT_EQ(errorOf("name: " + std::string(100000, '[')),
            "1:23: nested more than 16 levels deep");
  EXPECT_EQ(errorOf("name: " + std::string(1000, '{')).substr(0, 2), "1:");
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(errorOf(text), "17:17: nested more than 16 levels deep");
}

// "Billion laughs": stopped at the first anchor.
TEST(BadTargetFile, AliasBomb) {
  std::string text = "a: &a [x, x]\n";
  for (char c = 'b'; c < 'z'; ++c)
    text += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" +
            char(c - 1) + "]\n";
  EXPECT_EQ(errorOf(text), "1:4: anchors and aliases are not supported: write "
                           "the value out");
}

// Cut off anywhere, a description is reported or (at a line's end where all
// sections are complete) valid; never a crash.
TEST(BadTargetFile, TruncatedAnywhere) {
  llvm::StringRef text(kExample);
  for (size_t length = 0; length < text.size(); ++length) {
    std::string result = errorOf(text.take_front(length));
    EXPECT_TRUE(result != "valid" || length + 1 >= text.find("noise:"))
        << "at " << length;
  }
}
