// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The validated view of a target description (targets/*.yaml): the one class
// that passes, the simulator's configuration and the cost model ask about a
// chip. The schema and the origin of every figure are in docs/Targets.md.
#ifndef CIM_ARCH_ARCH_H
#define CIM_ARCH_ARCH_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cim {

/// What is wrong with a target description, and where. Its text (`log`,
/// `llvm::toString`) is `file:line:column: error: message`, then the line and a
/// caret; without a position it is the message alone.
class TargetError : public llvm::ErrorInfo<TargetError> {
public:
  static char ID;

  TargetError(std::string message) : message(std::move(message)) {}
  TargetError(std::string message, std::string file, unsigned line,
              unsigned column, std::string sourceLine)
      : message(std::move(message)), file(std::move(file)), line(line),
        column(column), sourceLine(std::move(sourceLine)) {}

  llvm::StringRef getMessage() const { return message; }
  llvm::StringRef getFile() const { return file; }
  /// From 1; 0 when the error is not about a place in a file.
  unsigned getLine() const { return line; }
  unsigned getColumn() const { return column; }

  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  std::string message, file;
  unsigned line = 0, column = 0;
  std::string sourceLine;
};

/// A target: a crossbar chip or the host processor. Immutable and cheap to
/// copy. All figures are in SI base units (seconds, joules, volts, hertz) but
/// areas, which are in mm2, and ADC errors, which are in codes (lsb).
class Arch {
public:
  /// Of the ADC; MidRise is half a code more than Floor.
  enum class Rounding { NearestEven, Floor, MidRise };

  /// Both ends included.
  struct Range {
    int64_t lo = 0, hi = 0;
  };

  /// A physical quantity and where its value comes from.
  struct Figure {
    double value = 0;
    std::string source;
    /// False when `source` begins with "unsourced": a guess of ours.
    bool isSourced() const {
      return !llvm::StringRef(source).starts_with("unsourced");
    }
  };

  /// Non-idealities of the `analog` device (docs/Numerics.md section 5).
  struct Noise {
    Figure read;            ///< per cell and read, relative
    Figure staticVariation; ///< per cell and chip instance, relative
    Figure adcOffset;       ///< per column and chip instance, codes
    Figure adcGain;         ///< per column and chip instance, relative
    Figure adcNoise;        ///< per conversion, codes
    int64_t philoxRounds;   ///< of the simulator's random numbers, 7 or 10
  };

  /// Joules at the nominal supply.
  struct Energy {
    Figure dac;      ///< per active row and MVM: converter and row driver
    Figure adc;      ///< per active column and MVM
    Figure gate;     ///< per active cell and MVM, at activity 1
    Figure line;     ///< per active cell and MVM: summation line, activity 1
    Figure control;  ///< per MVM of one array, whatever its size
    Figure activity; ///< mean share of `gate` and `line` that is spent, 0..1
    std::optional<Figure> rowWrite; ///< per row of cells written
  };

  /// The supply at which `Energy` holds, and how energy scales from there:
  /// E(V) = E * (V / nominal)^exponent.
  struct Supply {
    Figure nominal, exponent;
  };

  /// mm2.
  struct Area {
    Figure cell;    ///< per cell
    Figure dac;     ///< per row
    Figure adc;     ///< per column
    Figure control; ///< per array, whatever its size
  };

  enum class Metric { Throughput, ThroughputDensity, Efficiency, CellDensity };

  /// A published figure that the cost model must reproduce.
  struct Anchor {
    Metric metric = Metric::Throughput;
    /// op/s, op/s/mm2, op/s/W (1 MAC = 2 op) or cells/mm2.
    double value = 0;
    std::optional<double> supply; ///< volts; the nominal supply if absent
    double tolerance = 0;         ///< relative
    std::string text;             ///< value and unit as written
    std::string source;
  };

  /// Reads a target by name ("imec-ania") or path (ends in ".yaml" or ".yml").
  /// Names are looked up in the folders of `searchPath()`. The error is a
  /// `TargetError`; an unknown name lists the known ones and the nearest.
  static llvm::Expected<Arch> load(llvm::StringRef nameOrPath);

  /// Parses the text of a target description; the buffer's identifier names
  /// the file in errors.
  static llvm::Expected<Arch> parse(llvm::MemoryBufferRef yaml);

  /// Where `load` looks, first hit wins: the folders in CIM_TARGET_PATH
  /// (separated as in PATH), `<program>/../share/cim/targets`, and the source
  /// tree this library was built from.
  static std::vector<std::string> searchPath();

  /// Names that `load` knows, sorted, each once.
  static std::vector<std::string> knownTargets();

  llvm::StringRef name() const { return spec->name; }
  llvm::StringRef description() const { return spec->description; }
  /// True for a chip that does not exist: its figures are somebody's goals.
  bool isProjection() const { return spec->projection; }

  /// True when everything runs on the host processor in float. Such a target
  /// has no arrays: do not ask for anything below.
  bool isHost() const { return spec->host; }

  /// Cells of one array.
  int64_t arrayRows() const { return spec->rows; }
  int64_t arrayColumns() const { return spec->columns; }
  /// Arrays of the chip; 0 = as many as a network needs.
  int64_t arrayCount() const { return spec->arrayCount; }

  /// Smallest and largest level of one cell; -1 and 1 are ternary cells.
  int64_t cellLo() const { return spec->cell.lo; }
  int64_t cellHi() const { return spec->cell.hi; }

  /// Input (DAC) codes: 7 bits are -63..63 signed and 0..127 unsigned.
  int64_t inputBits() const { return spec->inputBits; }
  bool acceptsSignedInput() const { return spec->signedInput; }
  bool acceptsUnsignedInput() const { return spec->unsignedInput; }
  Range signedInputRange() const;
  Range unsignedInputRange() const;

  int64_t adcBits() const { return spec->adcBits; }
  /// Smallest and largest ADC code: 6 bits are -32..31 in twos-complement and
  /// -31..31 symmetric.
  int64_t adcLo() const;
  int64_t adcHi() const;
  Rounding adcRounding() const { return spec->adcRounding; }

  /// A grouped convolution is put on arrays block-diagonally only while it
  /// takes at most this many cells per weight; otherwise it stays digital.
  int64_t maxCellsPerWeight() const { return spec->maxCellsPerWeight; }

  /// Time of one MVM of one array, conversion included.
  const Figure &mvmTime() const { return spec->mvmTime; }
  /// Clock of the digital periphery.
  const Figure &digitalClock() const { return spec->digitalClock; }
  /// Time to write one row of cells of one array; absent when not known.
  const std::optional<Figure> &rowWriteTime() const { return spec->rowWrite; }
  const Noise &noise() const { return spec->noise; }

  /// Absent when the description gives none.
  const std::optional<Supply> &supply() const { return spec->supply; }
  const std::optional<Energy> &energy() const { return spec->energy; }
  const std::optional<Area> &area() const { return spec->area; }
  const std::vector<Anchor> &anchors() const { return spec->anchors; }

  /// The "device" object of the manifest, which `cim_device_config::target`
  /// carries to a device: one line of JSON, keys sorted. "{}" for a host.
  std::string deviceJson() const;

private:
  friend class ArchReader;

  struct Spec {
    std::string name, description;
    bool projection = false, host = false;
    int64_t rows = 0, columns = 0, arrayCount = 0;
    Range cell;
    int64_t inputBits = 0;
    bool signedInput = false, unsignedInput = false;
    int64_t adcBits = 0;
    bool adcSymmetric = false;
    Rounding adcRounding = Rounding::NearestEven;
    int64_t maxCellsPerWeight = 0;
    Figure mvmTime, digitalClock;
    std::optional<Figure> rowWrite;
    Noise noise;
    /// What only a device asks about: members of the "device" object.
    llvm::json::Object pulses, cells, lines, converter;
    std::optional<Supply> supply;
    std::optional<Energy> energy;
    std::optional<Area> area;
    std::vector<Anchor> anchors;
  };

  explicit Arch(std::shared_ptr<const Spec> spec) : spec(std::move(spec)) {}

  std::shared_ptr<const Spec> spec;
};

/// "nearest-even", "floor" or "mid-rise", as in target files and the manifest.
llvm::StringRef stringify(Arch::Rounding rounding);

} // namespace cim

#endif // CIM_ARCH_ARCH_H
