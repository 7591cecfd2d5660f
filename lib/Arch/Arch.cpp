// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What follows from a target's figures: code ranges and the device object.

#include "cim/Arch/Arch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace cim;

char TargetError::ID = 0;

void TargetError::log(llvm::raw_ostream &os) const {
  if (!line) {
    os << message;
    return;
  }
  os << file << ':' << line << ':' << column << ": error: " << message;
  // A line of a binary or generated file would not help anybody.
  if (sourceLine.size() > 200)
    return;
  os << '\n' << sourceLine << '\n';
  for (char c : llvm::StringRef(sourceLine).take_front(column - 1))
    os << (c == '\t' ? '\t' : ' ');
  os << '^';
}

std::error_code TargetError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

Arch::Range Arch::signedInputRange() const {
  int64_t top = (int64_t(1) << (inputBits() - 1)) - 1;
  return {-top, top};
}

Arch::Range Arch::unsignedInputRange() const {
  return {0, (int64_t(1) << inputBits()) - 1};
}

int64_t Arch::adcHi() const { return (int64_t(1) << (adcBits() - 1)) - 1; }

int64_t Arch::adcLo() const {
  return spec->adcSymmetric ? -adcHi() : -adcHi() - 1;
}

llvm::StringRef cim::stringify(Arch::Rounding rounding) {
  constexpr llvm::StringLiteral names[] = {"nearest-even", "floor", "mid-rise"};
  return names[size_t(rounding)];
}

std::string Arch::deviceJson() const {
  if (isHost())
    return "{}";
  llvm::json::Object device{
      {"array", llvm::json::Object{{"rows", arrayRows()},
                                   {"columns", arrayColumns()},
                                   {"cell_lo", cellLo()},
                                   {"cell_hi", cellHi()},
                                   {"count", arrayCount()}}},
      {"input", llvm::json::Object{{"bits", inputBits()}}},
      {"adc", llvm::json::Object{{"bits", adcBits()},
                                 {"lo", adcLo()},
                                 {"hi", adcHi()},
                                 {"rounding", stringify(adcRounding())}}},
      {"noise", llvm::json::Object{{"read", noise().read.value},
                                   {"static", noise().staticVariation.value},
                                   {"adc_offset", noise().adcOffset.value},
                                   {"adc_gain", noise().adcGain.value},
                                   {"adc_noise", noise().adcNoise.value}}}};
  if (noise().philoxRounds != 7)
    device["noise"].getAsObject()->insert(
        {"philox_rounds", noise().philoxRounds});
  if (!spec->cells.empty())
    device["cells"] = llvm::json::Object(spec->cells);
  if (!spec->lines.empty())
    device["lines"] = llvm::json::Object(spec->lines);
  for (const auto &[key, value] : spec->pulses)
    device["input"].getAsObject()->insert({key, value});
  for (const auto &[key, value] : spec->converter)
    device["adc"].getAsObject()->insert({key, value});
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(device));
  return text;
}
