// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Typed access to one mapping of a target description. The first error
// sticks; afterwards every read returns a default, so that the reader is a
// plain list of fields.
#ifndef CIM_LIB_ARCH_SECTION_H
#define CIM_LIB_ARCH_SECTION_H

#include "Quantity.h"
#include "YAMLTree.h"
#include "cim/Arch/Arch.h"
#include "llvm/ADT/ArrayRef.h"
#include <limits>

namespace cim {

/// The text being read and its first error.
class Diagnoser {
public:
  explicit Diagnoser(llvm::MemoryBufferRef buffer) : buffer(buffer) {}

  void fail(const char *where, const llvm::Twine &message) {
    if (!error)
      error.emplace(makeTargetError(buffer, where, message));
  }
  bool hasFailed() const { return error.has_value(); }
  llvm::Error take() { return std::move(*error); }

private:
  llvm::MemoryBufferRef buffer;
  std::optional<llvm::Error> error;
};

/// Bounds of a physical value, both included unless `loOpen`.
struct Bounds {
  double lo = 0, hi = std::numeric_limits<double>::infinity();
  bool loOpen = false;

  static Bounds positive() { return {0, Bounds().hi, true}; }
  static Bounds notNegative() { return {}; }
  static Bounds share() { return {0, 1, false}; }
};

class Section {
public:
  /// The mapping `node`, described as `name` ("'array'") in errors; every key
  /// must be one of `keys`.
  Section(Diagnoser &diagnoser, const YAMLNode &node, llvm::StringRef name,
          llvm::ArrayRef<llvm::StringRef> keys);

  /// The mapping at `key`, or nothing when it is missing (an error if
  /// `required`) or an error has occurred.
  std::optional<Section> open(llvm::StringRef key,
                              llvm::ArrayRef<llvm::StringRef> keys,
                              bool required = false) const;

  /// Null when the key is missing.
  const YAMLNode *find(llvm::StringRef key) const;
  /// Fails when the key is missing or has no value; then null.
  const YAMLNode *require(llvm::StringRef key) const;

  std::string text(llvm::StringRef key) const;
  int64_t whole(llvm::StringRef key, int64_t lo, int64_t hi) const;
  bool flag(llvm::StringRef key, bool missing) const;
  /// Index into `words`.
  size_t oneOf(llvm::StringRef key,
               llvm::ArrayRef<llvm::StringRef> words) const;
  /// `{ value: ..., source: ... }`.
  Arch::Figure figure(llvm::StringRef key, Dimension dimension,
                      Bounds bounds) const;
  std::optional<Arch::Figure>
  figureIfAny(llvm::StringRef key, Dimension dimension, Bounds bounds) const;
  /// A list of `least` to `most` plain numbers; empty when the key is missing.
  std::vector<double> numbersIfAny(llvm::StringRef key, size_t least,
                                   size_t most) const;
  /// A number with unit, written plainly.
  double quantity(llvm::StringRef key, Dimension dimension,
                  Bounds bounds) const;

  void fail(const YAMLNode &node, const llvm::Twine &message) const {
    diagnoser.fail(node.where, message);
  }
  bool hasFailed() const { return diagnoser.hasFailed(); }
  const char *where() const { return node.where; }

private:
  const YAMLNode *scalar(llvm::StringRef key) const;

  Diagnoser &diagnoser;
  const YAMLNode &node;
  std::string name;
};

/// "one of a, b, c" or "'a'".
std::string oneOfText(llvm::ArrayRef<llvm::StringRef> words);

} // namespace cim

#endif // CIM_LIB_ARCH_SECTION_H
