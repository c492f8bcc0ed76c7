/* What the benchmarks need of mtbl (the format of dnstable): a writer, look-ups by prefix, and the function by which mtbl_merge adds up.
 *
 *     mtbl write OUT < LINES     rows as PostgreSQL's COPY takes them; the last three columns are the value: first, last, count
 *     mtbl ask FILE QUESTIONS    a prefix a line; a tab in it divides the first column from the others
 *
 * Built by `cargo xtask bench`, as a program and as a shared object.
 */
#include <mtbl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* answers of one question at most, as in the example */
#define LIMIT 1000

struct value {
	uint64_t first, last, count;
};

void dnscert_merge_func(void *unused, const uint8_t *key, size_t key_len, const uint8_t *val0, size_t len0, const uint8_t *val1,
			size_t len1, uint8_t **merged, size_t *merged_len)
{
	struct value a, b, *sum = malloc(sizeof *sum);
	(void)unused, (void)key, (void)key_len, (void)len0, (void)len1;
	memcpy(&a, val0, sizeof a);
	memcpy(&b, val1, sizeof b);
	sum->first = a.first < b.first ? a.first : b.first;
	sum->last = a.last > b.last ? a.last : b.last;
	sum->count = a.count + b.count;
	*merged = (uint8_t *)sum;
	*merged_len = sizeof *sum;
}

static void failed(const char *what)
{
	fprintf(stderr, "mtbl: could not %s\n", what);
	exit(1);
}

static void write_rows(const char *out)
{
	struct mtbl_sorter_options *sorting = mtbl_sorter_options_init();
	struct mtbl_writer_options *writing = mtbl_writer_options_init();
	struct mtbl_sorter *sorter;
	struct mtbl_writer *writer;
	char *line = NULL, folder[4096], *slash;
	size_t size = 0;
	ssize_t length;

	snprintf(folder, sizeof folder, "%s", out);
	if ((slash = strrchr(folder, '/')))
		*slash = 0;
	mtbl_sorter_options_set_merge_func(sorting, dnscert_merge_func, NULL);
	mtbl_sorter_options_set_temp_dir(sorting, folder);
	mtbl_sorter_options_set_max_memory(sorting, (size_t)1 << 30);
	mtbl_writer_options_set_compression(writing, MTBL_COMPRESSION_ZSTD);
	if (!(sorter = mtbl_sorter_init(sorting)) || !(writer = mtbl_writer_init(out, writing)))
		failed("begin a file");
	while ((length = getline(&line, &size, stdin)) > 0) {
		struct value value;
		char *end[3], *at = line + length;
		for (int column = 2; column >= 0; column--) {
			while (at > line && *--at != '\t')
				;
			end[column] = at;
		}
		value.first = strtoull(end[0] + 1, NULL, 10);
		value.last = strtoull(end[1] + 1, NULL, 10);
		value.count = strtoull(end[2] + 1, NULL, 10);
		*strchr(line, '\t') = 0;
		if (mtbl_sorter_add(sorter, (uint8_t *)line, end[0] - line, (uint8_t *)&value, sizeof value) != mtbl_res_success)
			failed("add a row");
	}
	if (mtbl_sorter_write(sorter, writer) != mtbl_res_success)
		failed("write the rows");
	mtbl_sorter_destroy(&sorter);
	mtbl_writer_destroy(&writer);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void ask(const char *file, const char *questions)
{
	struct mtbl_reader_options *options = mtbl_reader_options_init();
	struct mtbl_reader *reader = mtbl_reader_init(file, options);
	FILE *lines = fopen(questions, "r");
	static double times[1 << 20];
	size_t asked = 0, answers = 0, found = 0, size = 0;
	double total = 0;
	char *line = NULL, *tab;
	ssize_t length;

	if (!reader || !lines)
		failed("open a file");
	while ((length = getline(&line, &size, lines)) > 0 && asked < sizeof times / sizeof *times) {
		const uint8_t *key, *value;
		size_t key_len, value_len, count = 0;
		struct mtbl_iter *rows;
		double begun;
		length--;
		if ((tab = memchr(line, '\t', length)))
			*tab = 0;
		begun = now();
		rows = mtbl_source_get_prefix(mtbl_reader_source(reader), (uint8_t *)line, length);
		while (rows && count < LIMIT && mtbl_iter_next(rows, &key, &key_len, &value, &value_len) == mtbl_res_success)
			count++;
		mtbl_iter_destroy(&rows);
		total += times[asked++] = now() - begun;
		answers += count;
		found += count > 0;
	}
	if (!asked)
		failed("find a question");
	qsort(times, asked, sizeof *times, by_size);
	printf("p50 %.3f ms, p99 %.3f ms, %.0f/s; %zu of %zu found, %zu answers\n", times[asked / 2], times[asked * 99 / 100],
	       asked / total * 1e3, found, asked, answers);
}

int main(int count, char **words)
{
	if (count == 3 && !strcmp(words[1], "write"))
		write_rows(words[2]);
	else if (count == 4 && !strcmp(words[1], "ask"))
		ask(words[2], words[3]);
	else
		failed("understand: mtbl write OUT | mtbl ask FILE QUESTIONS");
	return 0;
}
