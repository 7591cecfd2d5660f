// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small YAML document as a tree whose every node knows its place in the
// text. Built on LLVM's YAML stream, which hands out each node only once.
#ifndef CIM_LIB_ARCH_YAMLTREE_H
#define CIM_LIB_ARCH_YAMLTREE_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <string>
#include <vector>

namespace cim {

struct YAMLEntry;

struct YAMLNode {
  enum class Kind { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  const char *where = nullptr;    ///< in the text the tree was read from
  std::string text;               ///< Scalar
  std::vector<YAMLNode> items;    ///< List
  std::vector<YAMLEntry> entries; ///< Map, in the order of the text

  bool isScalar() const { return kind == Kind::Scalar; }
  bool isList() const { return kind == Kind::List; }
  bool isMap() const { return kind == Kind::Map; }
};

struct YAMLEntry {
  YAMLNode key; ///< always a scalar, unique in its map
  YAMLNode value;
};

/// Reads one document of at most 1 MB, 16 levels deep, without anchors,
/// aliases and tags. The error is one TargetError.
llvm::Expected<YAMLNode> readYAML(llvm::MemoryBufferRef buffer);

/// A TargetError about the place `where` in `buffer`.
llvm::Error makeTargetError(llvm::MemoryBufferRef buffer, const char *where,
                            const llvm::Twine &message);

} // namespace cim

#endif // CIM_LIB_ARCH_YAMLTREE_H
