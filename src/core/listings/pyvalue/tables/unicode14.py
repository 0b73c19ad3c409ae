"""Makes unicode14.c from the Python that runs this: python3.11 unicode14.py > unicode14.c. What is asked is what the
original's program asks: str.strip, str.lower, int(), re's word characters, repr."""
import re
import sys
import unicodedata

assert unicodedata.unidata_version == '14.0.0', unicodedata.unidata_version
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def edges(name, test, what):
    """Below the first edge the answer is no, from each edge on it is the other one."""
    found, state = [], False
    for c in range(0x110000):
        now = not 0xD800 <= c <= 0xDFFF and bool(test(chr(c)))
        if now != state:
            found.append(c)
            state = now
    print(f'/* {what} */')
    print(f'const uint32_t tl__py_{name}[] = {{')
    for i in range(0, len(found), 10):
        print('    ' + ', '.join(f'0x{c:x}' for c in found[i:i + 10]) + ',')
    print(f'}};\nconst size_t tl__py_{name}_count = {len(found)};\n')


def is_ignored(ch):
    """Case_Ignorable, as the rule of the final sigma sees it: it looks past such a character."""
    return ('A' + ch + '\u03a3').lower()[-1] == '\u03c2' and (ch + '\u03a3').lower()[-1] != '\u03c2'


def is_cased(ch):
    return (ch + '\u03a3').lower()[-1] == '\u03c2'


print('/* Made by unicode14.py from CPython %d.%d, Unicode %s.' % (*sys.version_info[:2], unicodedata.unidata_version))
print(' * Lists of edges: below the first the answer is no, from each edge on it is the other one. */')
print('#include "core/listings/pyvalue/pyvalue_internal.h"\n\n/* clang-format off */')
edges('printable', str.isprintable, 'str.isprintable')
word = re.compile(r'\w')
edges('word', lambda ch: word.match(ch) is not None, 'word characters of re')
edges('ignored', is_ignored, 'looked past by the final sigma: case-ignorable')
edges('cased', is_cased, 'cased, and not case-ignorable')
zeros = [c for c in ALL if chr(c).isdecimal() and int(chr(c)) == 0]
for z in zeros:
    assert all(int(chr(z + d)) == d for d in range(10))
assert len(zeros) * 10 == sum(chr(c).isdecimal() for c in ALL)
print('/* the zeros of the scripts; their nine follow them */')
print('const uint32_t tl__py_zeros[] = {')
for i in range(0, len(zeros), 10):
    print('    ' + ', '.join(f'0x{c:x}' for c in zeros[i:i + 10]) + ',')
print(f'}};\nconst size_t tl__py_zero_count = {len(zeros)};\n')
runs = []  # (first, last, step, difference)
for c in ALL:
    low = chr(c).lower()
    if c in (0x130, 0x3a3) or low == chr(c):
        continue
    assert len(low) == 1
    d = ord(low) - c
    if runs and runs[-1][3] == d:
        first, last, step, _ = runs[-1]
        if (step == 0 and c - last <= 2) or (step and c - last == step):
            runs[-1] = (first, c, c - last, d)
            continue
    runs.append((c, c, 0, d))
print('/* lower case: from first to last by step (0: one character), the difference; 0x130 and 0x3a3 are in the code */')
print('const tl__py_lower_run tl__py_lower[] = {')
for first, last, step, d in runs:
    print(f'    {{0x{first:x}, 0x{last:x}, {step}, {d}}},')
print(f'}};\nconst size_t tl__py_lower_count = {len(runs)};')
