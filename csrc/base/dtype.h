// Element types. The first five are compute types: every elementwise kernel exists for them. The rest are
// storage types that enter and leave through `cast` and the batch gather.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ranvier {

// X(enumerator, C++ type, NumPy and Keras name)
#define RANVIER_COMPUTE_DTYPES(X) \
  X(f32, float, "float32")        \
  X(f64, double, "float64")       \
  X(i32, std::int32_t, "int32")   \
  X(i64, std::int64_t, "int64")   \
  X(b8, bool, "bool")

#define RANVIER_STORAGE_DTYPES(X) \
  X(u8, std::uint8_t, "uint8")    \
  X(i8, std::int8_t, "int8")      \
  X(u16, std::uint16_t, "uint16") \
  X(i16, std::int16_t, "int16")   \
  X(u32, std::uint32_t, "uint32")

#define RANVIER_DTYPES(X) RANVIER_COMPUTE_DTYPES(X) RANVIER_STORAGE_DTYPES(X)

enum class DType : std::uint8_t {
#define RANVIER_X(name, type, text) name,
  RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
};

inline constexpr int kNumComputeDTypes = 5;
inline constexpr int kNumDTypes = 10;

constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t sizes[] = {
#define RANVIER_X(name, type, text) sizeof(type),
      RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  };
  return sizes[static_cast<int>(dtype)];
}

constexpr std::string_view name_of(DType dtype) {
  constexpr std::string_view names[] = {
#define RANVIER_X(name, type, text) text,
      RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  };
  return names[static_cast<int>(dtype)];
}

constexpr bool is_compute(DType dtype) { return static_cast<int>(dtype) < kNumComputeDTypes; }
constexpr bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

// The DType of a C++ type: dtype_of<float> == DType::f32.
template <class T>
inline constexpr DType dtype_of = DType::f32;
#define RANVIER_X(name, type, text) \
  template <>                       \
  inline constexpr DType dtype_of<type> = DType::name;
RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X

}  // namespace ranvier
