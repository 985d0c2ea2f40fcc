using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using JobHost.Benchmarks.Measuring;
using JobHost.Benchmarks.Nodes;
using JobHost.Benchmarks.Starts;

namespace JobHost.Benchmarks.Streams;

/// <summary>Many who follow the log of one run while it is written, beside a server that sends each of them as much.</summary>
internal sealed class FollowersScenario : IScenario
{
    private const int Followers = 100;

    public string Name => "followers";

    public string Measures =>
        $"a log of {BenchmarkJobs.LineCount} lines that is followed by {Followers} clients as server-sent events, until all have all";

    public async IAsyncEnumerable<Figures> RunAsync(
        Settings settings,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var folder = new TemporaryFolder();
        await using var bareProcess = await StartAsync(BareServer.Verb);
        await using var ourProcess = await StartAsync(StartedServer.Verb);
        using var bare = new HttpClient { BaseAddress = bareProcess.Address };
        using var ours = new HttpClient { BaseAddress = ourProcess.Address };
        var measured = await Rounds.MeasureAsync(
            [
                new(
                    $"the same lines, sent to {Followers} clients",
                    token => ArmAsync(bare, BareServer.Stream, () => GoAsync(bare), token)
                ),
                new($"a log, followed by {Followers} clients", token => ArmRunAsync(ours, token)),
            ],
            settings.Rounds,
            cancellationToken,
            warmup: 2
        );
        yield return new(Name, [measured[0]], [measured[1]], Rival: null);

        Task<ListeningProcess> StartAsync(string verb) =>
            ListeningProcess.StartAsync(
                Environment.ProcessPath!,
                [verb],
                folder.Path,
                new Dictionary<string, string> { ["JobHost__DataDirectory"] = Path.Join(folder.Path, "data") },
                cancellationToken
            );
    }

    private static async Task GoAsync(HttpClient client)
    {
        using var answer = await client.PostAsJsonAsync(new Uri(BareServer.Go, UriKind.Relative), new { });
        answer.EnsureSuccessStatusCode();
    }

    private static async Task<Func<Task<Func<Task>?>>> ArmRunAsync(
        HttpClient client,
        CancellationToken cancellationToken
    )
    {
        using var started = await client.PostAsJsonAsync(
            new Uri($"/api/v1/jobs/{BenchmarkJobs.Writes}/runs", UriKind.Relative),
            new { },
            cancellationToken
        );
        started.EnsureSuccessStatusCode();
        var run =
            $"/api/v1/runs/{(await started.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("id")}";
        return await ArmAsync(
            client,
            $"{run}/logs",
            async () =>
            {
                using var sent = await client.PostAsJsonAsync(
                    new Uri($"{run}/messages", UriKind.Relative),
                    new { message = "go" },
                    cancellationToken
                );
                sent.EnsureSuccessStatusCode();
            },
            cancellationToken
        );
    }

    /// <summary>All are connected; what is timed is from the word to go until the last has had everything.</summary>
    private static async Task<Func<Task<Func<Task>?>>> ArmAsync(
        HttpClient client,
        string path,
        Func<Task> go,
        CancellationToken cancellationToken
    )
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, Followers).Select(_ => FollowAsync()));
        return async () =>
        {
            var reading = Task.WhenAll(answers.Select(answer => ReadAsync(answer, cancellationToken)));
            await go();
            var read = await reading;
            return () =>
                read.Min() >= BenchmarkJobs.LineCount * BenchmarkJobs.Line.Length
                    ? Task.CompletedTask
                    : throw new BenchmarkException($"a follower had {read.Min()} bytes only");
        };

        async Task<HttpResponseMessage> FollowAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            request.Headers.Accept.Add(new("text/event-stream"));
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.EnsureSuccessStatusCode();
        }
    }

    private static async Task<long> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using (answer)
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[64 * 1024];
            var all = 0L;
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                all += count;
            }
            return all;
        }
    }
}
