"""Easy tasks of the suite "cpp", first half."""
import re

from cpp_suite import Draw, ints, line, task, with_count

draw = Draw(101)


@task("odometer", 0, r"""
int main() {
  int n;
  cin >> n;
  long long total = 0, last;
  cin >> last;
  for (int i = 1, now; i < n; ++i) {
    cin >> now;
    total += now >= last ? now - last : now + 1000000 - last;
    last = now;
  }
  cout << total << "\n";
}""", ("now >= last ? now - last : now + 1000000 - last", "now > last ? now - last : now + 1000000 - last"),
      [with_count(x) for x in ([999990, 20, 20, 500], [7], [0, 0], [0, 999999, 0], [5, 4, 3, 2, 1], [1, 2, 3],
                               [999999, 0, 999999], draw.list(300, 0, 999999))])
def odometer(text):
    """An odometer with six digits shows 000000 after 999999. You get its readings in the order in which they were
    taken; between two of them the car drove less than 1000000 km. How many km did it drive in all?

    Input: n (1 to 1000), then n readings from 0 to 999999.
    Output: the distance from the first reading to the last."""
    numbers = ints(text)[1:]
    return sum((b - a) % 1000000 for a, b in zip(numbers, numbers[1:]))


@task("same-ends", 0, r"""
int main() {
  string word;
  int count = 0;
  while (cin >> word)
    if (tolower((unsigned char)word.front()) == tolower((unsigned char)word.back())) ++count;
  cout << count << "\n";
}""", ("tolower((unsigned char)word.front()) == tolower((unsigned char)word.back())", "word.front() == word.back()"),
      ["Anna saw a kayak\nLevel roads go Up\n", "x\n", "ab\n", "Aba BAB bAb aB\n", "\n", "  Oslo   to\tTokyo  \n",
       "a b c d e\n", "noon Dad did Xanax racecar Q\n", " ".join(draw.word(draw(1, 4), "aAbB") for _ in range(400)) + "\n"])
def same_ends(text):
    """How many words of a text begin and end with the same letter? Capital and small letters count as the same, and
    a word of one letter counts. Words are made of English letters and are set apart by white space.

    Input: a text of at most 10000 characters, perhaps without any word.
    Output: the number of such words."""
    return sum(word[0].lower() == word[-1].lower() for word in text.split())


@task("clock-angle", 0, r"""
int main() {
  int n;
  cin >> n;
  while (n--) {
    int h, m;
    char colon;
    cin >> h >> colon >> m;
    int angle = abs((h % 12) * 60 + m - 12 * m);
    cout << min(angle, 720 - angle) << "\n";
  }
}""", ("(h % 12) * 60 + m - 12 * m", "(h % 12) * 60 - 12 * m"),
      ["3\n3:00\n12:30\n23:59\n", "1\n0:00\n", "1\n12:00\n", "2\n6:00\n18:00\n", "2\n9:00\n21:15\n", "1\n0:59\n",
       "2\n11:05\n1:55\n", "60\n" + "".join(f"{draw(0, 23)}:{draw(0, 59):02}\n" for _ in range(60))])
def clock_angle(text):
    """The hands of a clock move evenly. What is the smaller angle between the hour hand and the minute hand, in half
    degrees (a full turn is 720)?

    Input: n (1 to 100), then n times as h:mm with h from 0 to 23.
    Output: the angle for each, a whole number on a line of its own."""
    out = []
    for time in text.split()[1:]:
        h, m = map(int, time.split(":"))
        angle = abs(h % 12 * 60 + m - 12 * m)
        out.append(min(angle, 720 - angle))
    return "\n".join(map(str, out))


@task("run-lengths", 0, r"""
int main() {
  string s, out;
  cin >> s;
  for (size_t i = 0; i < s.size();) {
    size_t j = i;
    while (j < s.size() && s[j] == s[i]) ++j;
    out += s[i];
    if (j - i > 1) out += to_string(j - i);
    i = j;
  }
  cout << out << "\n";
}""", ("out += to_string(j - i)", "out += char('0' + (j - i))"),
      ["aaabccdddd\n", "x\n", "zz\n", "abcabc\n", "a" * 12 + "\n", "b" + "c" * 100 + "d\n", "aabbaabb\n",
       draw.word(500, "ab") + "\n", "q" * 10000 + "\n"])
def run_lengths(text):
    """Shorten a word: every run of equal letters becomes the letter and the length of the run; a run of one letter
    stays just the letter.

    Input: a word of 1 to 10000 small letters.
    Output: the short form."""
    return "".join(m[0][0] + (str(len(m[0])) if len(m[0]) > 1 else "") for m in re.finditer(r"(.)\1*", text.strip()))


@task("runner-up", 0, r"""
int main() {
  int n;
  cin >> n;
  long long best = LLONG_MIN, second = LLONG_MIN;
  bool found = false;
  for (int i = 0; i < n; ++i) {
    long long x;
    cin >> x;
    if (i == 0 || x > best) {
      if (i > 0) second = best, found = true;
      best = x;
    } else if (x < best && (!found || x > second)) {
      second = x, found = true;
    }
  }
  if (found)
    cout << second << "\n";
  else
    cout << "none\n";
}""", ("x < best &&", "x <= best &&"),
      [with_count(x) for x in ([3, 9, 9, 4], [5], [2, 2, 2], [-1, -2], [-10**15, 10**15], [1, 2, 3, 4],
                               [4, 3, 2, 1, 4], [0, -10**18, 0], draw.list(500, -10**9, 10**9))])
def runner_up(text):
    """Find the second largest among the different values of a list: of 3 9 9 4 it is 4.

    Input: n (1 to 1000), then n whole numbers from -10^18 to 10^18.
    Output: that value, or none if all numbers are equal."""
    values = sorted(set(ints(text)[1:]))
    return values[-2] if len(values) > 1 else "none"


@task("leap-days", 0, r"""
long long upto(long long y) { return y / 4 - y / 100 + y / 400; }
int main() {
  long long a, b;
  while (cin >> a >> b) cout << upto(b) - upto(a - 1) << "\n";
}""", ("y / 4 - y / 100 + y / 400", "y / 4"),
      ["1999 2004\n1900 1900\n", "2000 2000\n", "1 1\n", "1 400\n", "1896 1904\n", "2001 2003\n", "1 1000000000\n",
       "".join(f"{(a := draw(1, 4000))} {a + draw(0, 500)}\n" for _ in range(50))])
def leap_days(text):
    """A year is a leap year if 4 divides it, but not if 100 does, except that it is if 400 does. Count the leap years
    from year a to year b, both included.

    Input: lines with a and b, 1 <= a <= b <= 10^9, to the end of the input.
    Output: the count for each line."""
    def upto(y):
        return y // 4 - y // 100 + y // 400
    pairs = ints(text)
    return "\n".join(str(upto(b) - upto(a - 1)) for a, b in zip(pairs[::2], pairs[1::2]))


@task("shift-cipher", 0, r"""
int main() {
  long long k;
  string s;
  cin >> k;
  cin.ignore();
  getline(cin, s);
  for (char& c : s) {
    int size = isdigit((unsigned char)c) ? 10 : isalpha((unsigned char)c) ? 26 : 0;
    if (size == 0) continue;
    char first = size == 10 ? '0' : c >= 'a' ? 'a' : 'A';
    c = char(first + (((c - first + k) % size) + size) % size);
  }
  cout << s << "\n";
}""", ("(((c - first + k) % size) + size) % size", "(c - first + k) % size"),
      ["3\nCall Zoe at 18:09!\n", "0\nnothing\n", "-1\nAa0 Bb1\n", "26\nabc 789\n", "-1000000000\nHello 2025\n",
       "1000000000\nzZ9\n", "13\n...\n", "-27\nThe 5 boxing wizards jump quickly\n",
       f"-7\n{draw.word(300, 'abcXYZ0189 ,.')}x\n"])
def shift_cipher(text):
    """Shift every letter of a line by k places in the alphabet, around its end, keeping its case; shift every digit by
    k around 9 in the same way. Other characters stay. k may be negative.

    Input: k from -10^9 to 10^9; then a line of at most 1000 ASCII characters.
    Output: the shifted line."""
    k, s = text.split("\n")[:2]
    k, out = int(k), []
    for c in s:
        if c.isdigit():
            c = chr((ord(c) - 48 + k) % 10 + 48)
        elif c.isalpha():
            first = ord("a" if c.islower() else "A")
            c = chr((ord(c) - first + k) % 26 + first)
        out.append(c)
    return "".join(out)


@task("fair-cuts", 0, r"""
int main() {
  int n;
  cin >> n;
  vector<long long> a(n);
  long long total = 0, left = 0, count = 0;
  for (auto& x : a) cin >> x, total += x;
  for (int i = 0; i + 1 < n; ++i) {
    left += a[i];
    if (2 * left == total) ++count;
  }
  cout << count << "\n";
}""", ("2 * left == total", "left == total / 2"),
      [with_count(x) for x in ([1, 2, 3, -3, 3], [4], [5, 5], [0, 0, 0, 0], [1, -1, 1, -1], [1, 2, 4], [3, 4],
                               [-2, -2, -4, 0, 0], [10**9] * 100)] +
      ["1000\n" + line(draw.list(1000, -2, 2)) + "\n"])
def fair_cuts(text):
    """Cut a row of numbers between two neighbours so that both parts have the same sum. In how many places is that
    possible?

    Input: n (1 to 1000), then n whole numbers from -10^9 to 10^9.
    Output: the number of places."""
    a = ints(text)[1:]
    return sum(2 * sum(a[:i]) == sum(a) for i in range(1, len(a)))


@task("digit-sums", 0, r"""
int main() {
  string s;
  cin >> s;
  int times = 0;
  while (s.size() > 1) {
    long long sum = 0;
    for (char c : s) sum += c - '0';
    s = to_string(sum);
    ++times;
  }
  cout << times << " " << s << "\n";
}""", """
int main() {
  long long n;
  cin >> n;
  int times = 0;
  while (n > 9) {
    long long sum = 0;
    for (; n > 0; n /= 10) sum += n % 10;
    n = sum;
    ++times;
  }
  cout << times << " " << n << "\\n";
}""", ["9875\n", "0\n", "7\n", "10\n", "99\n", "199\n", "19999999999999999999999\n", "9" * 5000 + "\n", draw.word(3000, "0123456789") + "\n"])
def digit_sums(text):
    """Replace a number by the sum of its digits until one digit is left: 9875, 29, 11, 2. How many times was it
    replaced, and what is left?

    Input: a number of at most 10000 digits; it may begin with zeros.
    Output: both numbers on one line."""
    s, times = text.strip(), 0
    while len(s) > 1:
        s, times = str(sum(map(int, s))), times + 1
    return f"{times} {s}"


@task("turn-the-table", 0, r"""
int main() {
  int rows, columns;
  cin >> rows >> columns;
  vector<vector<string>> a(rows, vector<string>(columns));
  for (auto& row : a)
    for (auto& cell : row) cin >> cell;
  for (int c = 0; c < columns; ++c)
    for (int r = rows - 1; r >= 0; --r) cout << a[r][c] << (r == 0 ? "\n" : " ");
}""", ("int r = rows - 1; r >= 0; --r) cout << a[r][c] << (r == 0 ?", "int r = 0; r < rows; ++r) cout << a[r][c] << (r == rows - 1 ?"),
      ["2 3\n1 2 3\n4 5 6\n", "1 1\nx\n", "1 4\na b c d\n", "3 1\n-1\n-2\n-3\n", "2 2\n1 1\n2 2\n", "3 2\na b\nc d\ne f\n",
       "4 4\n" + "".join(line(range(4 * i, 4 * i + 4)) + "\n" for i in range(4)),
       "20 30\n" + "".join(line(draw.list(30, -99, 99)) + "\n" for _ in range(20))])
def turn_the_table(text):
    """Turn a table by a quarter clockwise: its first row becomes its last column.

    Input: the numbers of rows and columns (1 to 100 each), then the rows; cells are words without spaces.
    Output: the turned table, cells with one space between them."""
    words = text.split()
    r, c = int(words[0]), int(words[1])
    table = [words[2 + i * c:2 + (i + 1) * c] for i in range(r)]
    return "\n".join(" ".join(row) for row in zip(*table[::-1]))


@task("triangle-kind", 0, r"""
int main() {
  long long a[3];
  while (cin >> a[0] >> a[1] >> a[2]) {
    sort(a, a + 3);
    if (a[0] + a[1] <= a[2]) {
      cout << "none\n";
      continue;
    }
    long long d = a[0] * a[0] + a[1] * a[1] - a[2] * a[2];
    cout << (d > 0 ? "acute" : d == 0 ? "right" : "obtuse") << "\n";
  }
}""", ("long long a[3]", "int a[3]"),
      ["3 4 5\n2 3 4\n1 2 3\n", "1 1 1\n", "5 3 4\n", "1 1 2\n", "1000000000 1000000000 1000000000\n",
       "600000000 800000000 1000000000\n", "1 1000000000 1000000000\n", "5 1 1\n10 6 8\n7 7 9\n7 7 10\n",
       "".join(line(draw.list(3, 1, 30)) + "\n" for _ in range(100))])
def triangle_kind(text):
    """Three lengths are given. Do they make a triangle of some area, and is its largest angle acute, right or obtuse?

    Input: lines with three whole numbers from 1 to 10^9, to the end of the input.
    Output: for each line none, acute, right or obtuse."""
    out = []
    for row in text.splitlines():
        a, b, c = sorted(ints(row))
        d = a * a + b * b - c * c
        out.append("none" if a + b <= c else "acute" if d > 0 else "right" if d == 0 else "obtuse")
    return "\n".join(out)
