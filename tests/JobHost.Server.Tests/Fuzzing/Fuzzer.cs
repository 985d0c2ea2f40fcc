using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Sends requests of every operation, many at once, and collects what is wrong with the answers.</summary>
/// <param name="server">Who is asked.</param>
internal sealed class Fuzzer(FuzzServer server)
{
    private const int AtOnce = 6;

    // So many requests may change the population before it is made anew.
    private const int Batch = 50;
    private const int MaxShrinks = 60;

    // What these leave behind would hold up, or change the meaning of, what comes after them.
    private static readonly HashSet<string> Lasting = ["StartRun", "RetryRun", "PauseJob", "DrainNode", "StopRuns"];

    private readonly RequestMaker maker = new(server.Document, server.Words, FuzzSettings.Seed);
    private readonly AnswerChecks checks = new(server.Document, server.Secrets);
    private readonly ConcurrentDictionary<string, Failure> failures = new();
    private readonly ConcurrentDictionary<(string Operation, int Status), int> counts = new();

    /// <summary>How many answers each operation gave with each status; 0 where the answer was not waited for.</summary>
    internal IReadOnlyDictionary<(string Operation, int Status), int> Counts => counts;

    /// <summary>Sends so many requests of each operation, and reports what was wrong; null where nothing was.</summary>
    internal async Task<string?> RunAsync(int perOperation, CancellationToken cancellationToken)
    {
        foreach (var operation in server.Document.Operations)
        {
            var indices = FuzzSettings.IndicesOf(operation, perOperation);
            foreach (var batch in indices.Chunk(Batch))
            {
                if (operation.Method != HttpMethod.Get)
                {
                    await server.Population.RefreshAsync();
                }
                await Parallel.ForEachAsync(
                    batch,
                    new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                    async (index, ended) => await TryAsync(maker.Make(operation, index), ended)
                );
                if (Lasting.Contains(operation.Id))
                {
                    await server.CleanAsync();
                }
            }
        }
        return failures.IsEmpty ? null : await ReportAsync(cancellationToken);
    }

    private async Task TryAsync(FuzzRequest made, CancellationToken cancellationToken)
    {
        var (request, answer, findings) = await SendAsync(made, cancellationToken);
        counts.AddOrUpdate((made.Operation.Id, answer?.Status ?? -1), 1, (_, count) => count + 1);
        foreach (var finding in findings)
        {
            failures.AddOrUpdate(
                $"{made.Operation.Id}: {finding.Kind}",
                _ => new(made, request, answer, finding, 1),
                (_, before) => before with { Count = before.Count + 1 }
            );
        }
    }

    private async Task<(FuzzRequest Request, FuzzAnswer? Answer, List<Finding> Findings)> SendAsync(
        FuzzRequest made,
        CancellationToken cancellationToken
    )
    {
        var asked = FuzzCallers.Sign(made);
        var request = asked.Named(state => server.Population.IdOf(state, made.Index));
        var answer = await server.Client.SendAsync(request, cancellationToken);
        List<Finding> findings = [.. checks.Check(request, answer)];
        if (answer is not null)
        {
            findings.AddRange(FuzzCallers.Check(asked, answer, server.Population));
        }
        return (request, answer, findings);
    }

    private async Task<string> ReportAsync(CancellationToken cancellationToken)
    {
        var report = new StringBuilder();
        report.AppendLine(
            CultureInfo.InvariantCulture,
            $"{failures.Count} kinds of wrong answers; the seed is {FuzzSettings.Seed}."
        );
        foreach (var (kind, failure) in failures.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var least = await ShrinkAsync(kind, failure, cancellationToken);
            var text = least.Answer?.Text ?? "";
            report.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{kind} ({failure.Count} times)");
            report.AppendLine(CultureInfo.InvariantCulture, $"  {least.Finding.Detail}");
            report.AppendLine(CultureInfo.InvariantCulture, $"  {least.Request.ToCurl(server.Client.Server)}");
            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"  -> {least.Answer?.Status} {least.Answer?.ContentType} {(text.Length > 600 ? text[..600] : text)}"
            );
            report.AppendLine(
                CultureInfo.InvariantCulture,
                $"  again: {FuzzSettings.SeedName}={FuzzSettings.Seed} {FuzzSettings.OnlyName}={failure.Made.Operation.Id}/{failure.Made.Index}"
            );
        }
        return report.ToString();
    }

    /// <summary>Leaves out of a request whatever the finding does not need.</summary>
    private async Task<Failure> ShrinkAsync(string kind, Failure failure, CancellationToken cancellationToken)
    {
        await server.Population.RefreshAsync();
        var left = MaxShrinks;
        for (var isSmaller = true; isSmaller && left > 0; )
        {
            isSmaller = false;
            foreach (var smaller in Shrinking.Smaller(failure.Made))
            {
                left--;
                var (request, answer, findings) = await SendAsync(smaller, cancellationToken);
                if (findings.FirstOrDefault(one => $"{smaller.Operation.Id}: {one.Kind}" == kind) is { } same)
                {
                    failure = new(smaller, request, answer, same, failure.Count);
                    isSmaller = true;
                    break;
                }
            }
        }
        if (Lasting.Contains(failure.Made.Operation.Id))
        {
            await server.CleanAsync();
        }
        return failure;
    }

    private sealed record Failure(
        FuzzRequest Made,
        FuzzRequest Request,
        FuzzAnswer? Answer,
        Finding Finding,
        int Count
    );
}
