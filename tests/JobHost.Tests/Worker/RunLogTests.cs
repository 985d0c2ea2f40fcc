using System.Globalization;
using JobHost.Tests.Support;
using JobHost.Worker.Running;
using Microsoft.Extensions.Logging;

namespace JobHost.Tests.Worker;

public sealed class RunLogTests
{
    [Fact]
    public void Lines_are_taken_once_in_the_order_in_which_they_were_written()
    {
        var log = new RunLog();
        Assert.Empty(log.Take(out _));
        log.Append("1");
        log.Append("2");
        Assert.Equal(["1", "2"], log.Take(out var lost));
        log.Append("3");
        Assert.Equal(["3"], log.Take(out _));
        Assert.Empty(log.Take(out _));
        Assert.Equal(0, lost);
    }

    [Fact(Timeout = 30000)]
    public async Task Every_line_of_every_thread_arrives_in_its_threads_order_while_somebody_collects()
    {
        const int Writers = 8;
        const int Lines = 20_000;
        var log = new RunLog();
        var taken = new List<string>();
        var writing = Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(writer =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < Lines; i++)
                        {
                            log.Append(string.Create(CultureInfo.InvariantCulture, $"{writer}:{i}"));
                        }
                    })
                )
        );
        var lost = 0L;
        while (!writing.IsCompleted)
        {
            taken.AddRange(log.Take(out var now));
            lost += now;
            await Task.Yield();
        }
        await writing;
        taken.AddRange(log.Take(out var last));
        lost += last;

        Assert.Equal(Writers * Lines, taken.Count + lost);
        foreach (var thread in taken.Select(line => line.Split(':')).GroupBy(parts => parts[0], StringComparer.Ordinal))
        {
            var numbers = thread.Select(parts => int.Parse(parts[1], CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(numbers.Order(), numbers);
            Assert.Equal(numbers.Distinct().Count(), numbers.Count);
        }
    }

    [Fact]
    public void Lines_beyond_the_bound_are_dropped_and_counted_until_somebody_collects()
    {
        var log = new RunLog();
        var line = new string('x', 1024 * 1024 - 1);
        for (var i = 0; i < 10; i++)
        {
            log.Append(line);
        }
        Assert.Equal(4, log.Take(out var lost).Count);
        Assert.Equal(6, lost);
        log.Append("again");
        Assert.Equal(["again"], log.Take(out lost));
        Assert.Equal(0, lost);
    }

    [Fact]
    public void A_line_longer_than_the_bound_is_dropped_alone()
    {
        var log = new RunLog();
        log.Append(new string('x', 5 * 1024 * 1024));
        log.Append("small");
        Assert.Equal(["small"], log.Take(out var lost));
        Assert.Equal(1, lost);
    }

    [Fact]
    public void An_entry_says_when_how_bad_and_what_and_cannot_forge_another()
    {
        var time = new TestTime();
        var log = new RunLog();
        var logger = new RunLogger(log, time);
#pragma warning disable CA1848, CA2254 // The run's own log, as a job writes it.
        logger.LogWarning("first\r\n2026-03-01T12:00:00.000Z ERR forged");
        logger.LogTrace("unseen");
#pragma warning restore CA1848, CA2254
        var entry = Assert.Single(log.Take(out _));
        Assert.Equal(
            ["2026-03-01T12:00:00.000Z WRN first", "    2026-03-01T12:00:00.000Z ERR forged"],
            entry.Split('\n')
        );
    }
}
