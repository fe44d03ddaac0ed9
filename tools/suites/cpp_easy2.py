"""Easy tasks of the suite "cpp", second half."""
from collections import Counter, deque

from cpp_suite import Draw, ints, line, task, with_count

draw = Draw(102)
ROMAN = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
         (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def to_roman(n):
    out = ""
    for value, name in ROMAN:
        out, n = out + name * (n // value), n % value
    return out


@task("roman-sum", 0, r"""
int value(char c) {
  switch (c) {
    case 'I': return 1;
    case 'V': return 5;
    case 'X': return 10;
    case 'L': return 50;
    case 'C': return 100;
    case 'D': return 500;
  }
  return 1000;
}
int main() {
  string s;
  long long total = 0;
  while (cin >> s)
    for (size_t i = 0; i < s.size(); ++i) {
      bool less = i + 1 < s.size() && value(s[i]) < value(s[i + 1]);
      total += less ? -value(s[i]) : value(s[i]);
    }
  cout << total << "\n";
}""", ("total += less ? -value(s[i]) : value(s[i])", "total += value(s[i]) - 0 * less"),
      ["XIV III\n", "I\n", "IV\n", "MCMXCIX\n", "MMMCMXCIX\n", "CD CM XL XC IX\n", "VIII\nLXXX\nDCCC\n",
       " ".join(to_roman(draw(1, 3999)) for _ in range(200)) + "\n"])
def roman_sum(text):
    """Add up Roman numerals, each from I to MMMCMXCIX, written in the usual way (IV, not IIII).

    Input: 1 to 1000 numerals, set apart by white space.
    Output: the sum in decimal."""
    values = {to_roman(n): n for n in range(1, 4000)}
    return sum(values[word] for word in text.split())


@task("shared-letters", 0, r"""
int main() {
  string a, b;
  cin >> a >> b;
  array<int, 26> x{}, y{};
  for (char c : a) ++x[c - 'a'];
  for (char c : b) ++y[c - 'a'];
  string out;
  for (int i = 0; i < 26; ++i) out += string(min(x[i], y[i]), char('a' + i));
  cout << (out.empty() ? "-" : out) << "\n";
}""", ("string(min(x[i], y[i]), char('a' + i))", "string(x[i] && y[i] ? 1 : 0, char('a' + i))"),
      ["banana cabana\n", "a a\n", "a b\n", "abc\nCBA\n".lower(), "zzz zz\n", "hello world\n", "xyz abc\n",
       f"{draw.word(900)} {draw.word(1000)}\n"])
def shared_letters(text):
    """Which letters can be crossed out in two words at the same time, one of each word by one of the other?

    Input: two words of 1 to 1000 small letters.
    Output: these letters in alphabetical order, each as often as it is crossed out in one word; - if there are none."""
    a, b = text.split()
    return "".join(sorted((Counter(a) & Counter(b)).elements())) or "-"


@task("car-park", 0, r"""
int main() {
  int places, n;
  cin >> places >> n;
  set<string> inside;
  size_t most = 0;
  int refused = 0;
  while (n--) {
    string what, car;
    cin >> what >> car;
    if (what == "out") {
      inside.erase(car);
    } else if (inside.count(car) == 0) {
      if ((int)inside.size() == places)
        ++refused;
      else
        inside.insert(car);
    }
    most = max(most, inside.size());
  }
  cout << most << " " << refused << "\n";
}""", ("} else if (inside.count(car) == 0) {", "} else {"),
      ["2 6\nin A\nin B\nin C\nout A\nin C\nout Z\n", "1 1\nin x\n", "1 3\nin a\nin a\nin b\n", "1 1\nout q\n",
       "3 5\nin a\nout a\nin a\nout a\nout a\n", "2 5\nin a\nin b\nin a\nin c\nin c\n", "1 4\nin a\nin b\nout b\nin c\n",
       f"5 500\n" + "".join(f"{draw.pick(['in', 'in', 'out'])} {draw.word(1, 'abcdefghijkl')}\n" for _ in range(500))])
def car_park(text):
    """A car park writes down what happens at its gate. A car that wants in while all places are taken is refused and
    drives away. Lines about cars that are inside already and want in, or want out and are not inside, are mistakes:
    they change nothing.

    Input: the number of places (1 to 100) and of lines n (1 to 1000); then n lines: in or out, and the car's name.
    Output: the largest number of cars that were inside at once, and how many times a car was refused."""
    words = text.split()
    places, inside, most, refused = int(words[0]), set(), 0, 0
    for what, car in zip(words[2::2], words[3::2]):
        if what == "out":
            inside.discard(car)
        elif car not in inside and len(inside) == places:
            refused += 1
        else:
            inside.add(car)
        most = max(most, len(inside))
    return f"{most} {refused}"


@task("last-in-the-ring", 0, r"""
int main() {
  int n, k;
  cin >> n >> k;
  int last = 0;
  for (int size = 2; size <= n; ++size) last = (last + k) % size;
  cout << last + 1 << "\n";
}""", ("last = (last + k) % size", "last = (last + k - 1) % size"),
      ["7 3\n", "1 1\n", "1 1000\n", "2 1\n", "2 2\n", "10 1\n", "5 7\n", "1000 1000\n", "999 2\n"])
def last_in_the_ring(text):
    """Children 1 to n stand in a ring. Beginning with child 1 they count 1, 2, ..., k; who says k steps out, and the
    next one begins again with 1. Who is left at the end?

    Input: n and k, each from 1 to 1000.
    Output: the child that is left."""
    n, k = ints(text)
    ring = deque(range(1, n + 1))
    while len(ring) > 1:
        ring.rotate(1 - k)
        ring.popleft()
    return ring[0]


@task("collatz-peak", 0, r"""
int main() {
  long long n;
  while (cin >> n) {
    long long steps = 0, peak = n;
    while (n != 1) {
      n = n % 2 == 0 ? n / 2 : 3 * n + 1;
      ++steps;
      peak = max(peak, n);
    }
    cout << steps << " " << peak << "\n";
  }
}""", ("steps = 0, peak = n;", "steps = 0, peak = 0;"),
      ["6\n1\n", "1\n", "2\n", "27\n", "113383\n", "837799\n", "159487 270271\n", line(draw.list(40, 1, 1000000)) + "\n"])
def collatz_peak(text):
    """From n go to n / 2 if n is even, and to 3 n + 1 otherwise, until 1 is reached. How many steps does it take, and
    what is the largest number on the way, n included?

    Input: numbers from 1 to 1000000, to the end of the input.
    Output: for each a line with both."""
    out = []
    for n in ints(text):
        steps, peak = 0, n
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps, peak = steps + 1, max(peak, n)
        out.append(f"{steps} {peak}")
    return "\n".join(out)


@task("binary-gap", 0, r"""
int main() {
  unsigned long long n;
  cin >> n;
  int best = 0, last = -1;
  for (int bit = 0; bit < 64; ++bit)
    if (n >> bit & 1) {
      if (last >= 0) best = max(best, bit - last - 1);
      last = bit;
    }
  cout << best << "\n";
}""", ("bit < 64", "bit < 32"),
      ["529\n", "0\n", "1\n", "6\n", "32\n", "9223372036854775809\n", "18446744073709551615\n", "4294967297\n",
       "1000000000000000000\n", "1376796946\n"])
def binary_gap(text):
    """Write n in binary. How many zeros has the longest run of zeros with a one on both sides? 529 is 1000010001, which
    gives 4.

    Input: n from 0 to 2^64 - 1.
    Output: the length, 0 if there is no such run."""
    bits = bin(int(text))[2:].strip("0")
    return max(map(len, bits.split("1")))


@task("two-carpets", 0, r"""
int main() {
  long long a[4], b[4];
  while (cin >> a[0] >> a[1] >> a[2] >> a[3] >> b[0] >> b[1] >> b[2] >> b[3]) {
    long long w = min(a[2], b[2]) - max(a[0], b[0]);
    long long h = min(a[3], b[3]) - max(a[1], b[1]);
    long long both = w > 0 && h > 0 ? w * h : 0;
    cout << (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both << "\n";
  }
}""", ("w > 0 && h > 0 ? w * h : 0", "w * h"),
      ["0 0 4 3 2 1 6 5\n", "0 0 1 1 5 5 6 6\n", "0 0 2 2 2 0 4 2\n", "0 0 10 10 3 3 4 4\n", "-5 -5 5 5 -5 -5 5 5\n",
       "-1000000000 -1000000000 1000000000 1000000000 0 0 1 1\n", "0 0 3 1 1 -1 2 4\n", "0 0 1 1 1 1 2 2\n",
       "".join(line((x := draw(-9, 9), y := draw(-9, 9), x + draw(1, 9), y + draw(1, 9),
                     u := draw(-9, 9), v := draw(-9, 9), u + draw(1, 9), v + draw(1, 9))) + "\n" for _ in range(80))])
def two_carpets(text):
    """Two carpets lie on the floor, their edges along the walls. How much of the floor do they cover together?

    Input: lines with x1 y1 x2 y2 of one carpet and x1 y1 x2 y2 of the other, x1 < x2 and y1 < y2, whole numbers from
    -10^9 to 10^9, to the end of the input.
    Output: the covered area for each line."""
    out = []
    for row in text.splitlines():
        a, b, c, d, e, f, g, h = ints(row)
        both = max(0, min(c, g) - max(a, e)) * max(0, min(d, h) - max(b, f))
        out.append((c - a) * (d - b) + (g - e) * (h - f) - both)
    return "\n".join(map(str, out))


@task("favourite-word", 0, r"""
int main() {
  map<string, int> counts;
  string word, best;
  char c;
  auto finish = [&] {
    if (!word.empty()) ++counts[word];
    word.clear();
  };
  while (cin.get(c))
    if (isalpha((unsigned char)c))
      word += (char)tolower((unsigned char)c);
    else
      finish();
  finish();
  int most = 0;
  for (auto& [name, count] : counts)
    if (count > most) most = count, best = name;
  cout << best << " " << most << "\n";
}""", ("count > most", "count >= most"),
      ["The cat saw the dog; the dog saw a cat.\n", "Hi\n", "b a\n", "It's its own. Its!\n", "x-ray X ray\n",
       "one,two,three,two,one\n", "Zoo zoo ZOO apple apple Apple\n",
       " ".join(draw.word(draw(1, 2), "abC") for _ in range(600)) + "\n"])
def favourite_word(text):
    """Which word is the most frequent in a text? A word is a longest run of English letters, whatever stands around it;
    capital and small letters are the same. Among equally frequent words take the first in alphabetical order.

    Input: a text of at most 10000 characters with at least one word.
    Output: the word in small letters and how often it occurs."""
    words = Counter("".join(c.lower() if c.isascii() and c.isalpha() else " " for c in text).split())
    best = min(words, key=lambda w: (-words[w], w))
    return f"{best} {words[best]}"


def isbn(digits):
    return digits + "0123456789X"[-sum((10 - i) * int(d) for i, d in enumerate(digits)) % 11]


@task("isbn", 0, r"""
int main() {
  string s;
  while (cin >> s) {
    int sum = 0, count = 0;
    bool good = true;
    for (size_t i = 0; i < s.size(); ++i) {
      if (s[i] == '-') continue;
      int digit = s[i] - '0';
      if (s[i] == 'X' && count == 9) digit = 10;
      if (digit < 0 || digit > 10 || (digit == 10 && s[i] != 'X')) good = false;
      sum += (10 - count++) * digit;
    }
    cout << (good && count == 10 && sum % 11 == 0 ? "yes" : "no") << "\n";
  }
}""", ("s[i] == 'X' && count == 9", "s[i] == 'X'"),
      ["0-306-40615-2\n0306406153\n", "080442957X\n", "X000000000\n00000X0005\n", "0000000000\n", "123456789\n", "12345678901\n",
       "1-2-3-4-5-6-7-8-9-X\n----------\n", "0-8044-2957-x\nabcdefghij\n1X34567890\n1X000000X3\n",
       "".join(isbn(draw.word(9, "0123456789")) + "\n" + draw.word(10, "0123456789") + "\n" for _ in range(40)) +
       "".join(draw.word(4, "0123X") + "X" + draw.word(5, "0123X") + "\n" for _ in range(60))])
def isbn_check(text):
    """An ISBN-10 has ten digits; the last one may be X, which stands for 10. Hyphens do not count. It is valid if ten
    times the first digit, plus nine times the second, and so on to once the last, can be divided by 11.

    Input: words of at most 20 characters, one a line, to the end of the input; some are no ISBN at all.
    Output: yes or no for each."""
    out = []
    for word in text.split():
        digits = word.replace("-", "")
        good = len(digits) == 10 and all(c in "0123456789" for c in digits[:9]) and digits[9] in "0123456789X"
        out.append("yes" if good and isbn(digits[:9]) == digits else "no")
    return "\n".join(out)


@task("middle-value", 0, r"""
int main() {
  int n;
  cin >> n;
  vector<long long> a(n);
  for (auto& x : a) cin >> x;
  sort(a.begin(), a.end());
  long long twice = a[(n - 1) / 2] + a[n / 2];
  cout << (twice < 0 ? "-" : "") << abs(twice) / 2 << (twice % 2 != 0 ? ".5" : "") << "\n";
}""", ("(twice < 0 ? \"-\" : \"\") << abs(twice) / 2", "twice / 2"),
      [with_count(x) for x in ([3, 1, 2, 10], [5], [1, 2], [-1, 0], [-3, -2], [10**9, 10**9], [7, 7, 7], [0, 0, 1, 1],
                               [-10**9, 10**9, 5], draw.list(999, -1000, 1000), draw.list(1000, -10**9, 10**9))])
def middle_value(text):
    """Find the median of a list: the middle one of the sorted numbers, or half the sum of the two middle ones.

    Input: n (1 to 1000), then n whole numbers from -10^9 to 10^9.
    Output: the median, exactly: as a whole number, or with .5 at its end. -1 and 0 have the median -0.5."""
    a = sorted(ints(text)[1:])
    twice = a[(len(a) - 1) // 2] + a[len(a) // 2]
    return ("-" if twice < 0 else "") + str(abs(twice) // 2) + (".5" if twice % 2 else "")
