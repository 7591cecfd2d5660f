// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives the precompiled header a library to belong to.
