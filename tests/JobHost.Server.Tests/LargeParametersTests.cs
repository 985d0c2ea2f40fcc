using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>
/// Parameters that are too large for a run's record are kept in a file of the run, and reach its code wherever that is, in
/// every attempt; the host neither holds nor hands them around.
/// </summary>
public sealed class LargeParametersTests(LargeParametersTests.Server server)
    : IClassFixture<LargeParametersTests.Server>
{
    private const int Limit = 70_000_000;
    private const int Large = 1_000_000;
    private const int VeryLarge = 64 << 20;

    private readonly ApiClient api = server.Process.Api;

    [Theory(Timeout = 120_000)]
    [InlineData("measures")]
    [InlineData("lane-measures")]
    [InlineData("p-measures")]
    public async Task They_reach_the_code_in_every_attempt_and_in_a_run_that_repeats_it(string job)
    {
        var text = Text(Large);
        var id = await api.StartAsync(job, new { text, failsAttempt = 1 });

        var run = await api.EndAsync(id);

        IsMeasured(text, run);
        Assert.Equal("2", run.Text("attempt"));
        var (_, again) = await api.PostAsync($"/runs/{id}/retry", null);
        IsMeasured(text, await api.EndAsync(again.Text("id")));
        Assert.Equal(run.Text("parametersFileBytes"), again.Text("parametersFileBytes"));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_run_tells_their_size_and_a_link_gives_them_and_lists_do_not_have_them()
    {
        var json = $"{{ \"text\": \"{Text(Large)}\" }}";
        var id = (await api.StartRunAsync("measures", $"{{\"labels\": {{\"a\": \"b\"}}, \"parameters\": {json}}}")).Id;
        await api.EndAsync(id);

        var run = (await api.FetchAsync($"/api/v1/runs/{id}")).Body;
        Assert.Equal(JsonValueKind.Null, run.GetProperty("parameters").ValueKind);
        Assert.Equal($"{json.Length}", run.Text("parametersFileBytes"));
        Assert.Equal("b", run.Text("labels", "a"));
        Assert.Equal(json, (await api.FetchAsync(run.Text("links", "parameters"))).Text);
        Assert.Equal(json[2..8], (await api.FetchAsync(run.Text("links", "parameters"), ("Range", "bytes=2-7"))).Text);
        var beyond = ("Range", $"bytes={json.Length}-");
        Assert.Equal(416, (await api.FetchAsync(run.Text("links", "parameters"), beyond)).Status);
        Assert.InRange((await api.FetchAsync("/api/v1/runs?pageSize=1")).Text.Length, 1, 10_000);
        var small = await api.RunAsync("measures", new { text = "little" });
        Assert.Equal("{\"text\":\"little\"}", (await api.FetchAsync(small.Text("links", "parameters"))).Text);
        Assert.Equal("", small.Text("parametersFileBytes"));

        Assert.Equal(204, (await api.CallAsync(HttpMethod.Delete, $"/api/v1/runs/{id}", null)).Status);
        (await api.FetchAsync(run.Text("links", "parameters"))).ExpectProblem(404, "unknown-run");
        Assert.Empty(Directory.GetDirectories(server.Process.DataDirectory, id, SearchOption.AllDirectories));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_that_is_repeated_is_known_by_them()
    {
        var (one, other) = (new { text = Text(Large) }, new { text = Text(Large) });
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());

        var first = await api.StartRunAsync("measures", new { parameters = one }, key);
        var second = await api.StartRunAsync("measures", new { parameters = one }, key);
        var third = await api.StartRunAsync("measures", new { parameters = other }, key);

        first.Expect(202);
        second.Expect(200);
        Assert.Equal(first.Id, second.Id);
        third.ExpectProblem(422, "idempotency-key-reused");
        Assert.Empty(Directory.GetFiles(Incoming(server.Process)));
    }

    [Fact(Timeout = 120_000)]
    public async Task They_are_checked_as_others_are()
    {
        var text = Text(Large);
        var range = await api.StartRunAsync("measures", new { parameters = new { text, level = 11 } });
        Assert.Equal(["parameters.level"], range.Fields);
        range.ExpectProblem(422, "invalid-parameters");
        var unknown = await api.StartRunAsync("measures", new { parameters = new { text, nope = 1 } });
        Assert.Equal(["parameters.nope"], unknown.Fields);
        var half = await api.StartRunAsync("measures", $"{{\"parameters\": {{\"text\": \"{text}\\ud800\"}}}}");
        Assert.Equal(["parameters"], half.Fields);
        var field = await api.StartRunAsync("measures", new { parameters = new { text }, nope = 1 });
        field.ExpectProblem(400, "malformed-request");
        Assert.Equal(["nope"], field.Fields);
        (await api.StartRunAsync("measures", $"[\"{text}\"]")).ExpectProblem(400, "malformed-request");
        (await api.StartRunAsync("measures", $"{{\"parameters\": {{\"text\": \"{text}\"")).ExpectProblem(400);
        (
            await api.StartRunAsync("measures", $"{{\"parameters\": {{}}, \"parameters\": {{\"text\": \"{text}\"}}}}")
        ).ExpectProblem(400);
        (await api.StartRunAsync("measures", new { uniqueKey = text })).ExpectProblem(413);
        (await api.StartRunAsync("echoes", new { parameters = new { argument = text } })).ExpectProblem(
            422,
            "invalid-parameters"
        );
        (await api.SubmitAsync("/api/v1/runs/wait", $"{{\"mode\": \"{text}\"}}")).ExpectProblem(413);
        Assert.Empty(Directory.GetFiles(Incoming(server.Process)));
    }

    [Fact(Timeout = 120_000)]
    public async Task More_than_the_server_takes_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs/measures/runs")
        {
            Content = new StringContent(
                $"{{\"parameters\": {{\"text\": \"{new string('x', Limit + 100_000)}\"}}}}",
                Encoding.UTF8,
                "application/json"
            ),
        };
        // Nothing is sent before the server has agreed.
        request.Headers.ExpectContinue = true;

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await api.SendAsync(request)).Status);
    }

    [Fact(Timeout = 300_000)]
    public async Task However_large_they_are_they_are_not_copied_about_in_the_host()
    {
        var body = Encoding.UTF8.GetBytes($"{{\"parameters\": {{\"text\": \"{new string('x', VeryLarge)}\"}}}}");
        // What is made only once is made now.
        await api.EndAsync(await api.StartAsync("p-measures", new { text = Text(Large) }));
        var before = await AllocatedAsync();

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs/p-measures/runs");
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = true;
        var (status, run) = await api.SendAsync(request);
        Assert.Equal(HttpStatusCode.Accepted, status);
        run = await api.EndAsync(run.Text("id"));

        IsMeasured(new string('x', VeryLarge), run);
        // The check reads the text once, as a .NET string of two bytes a character, and the reader's index takes the next power
        // of two from the pool: four times the size and a little. As JSON that is handed around it would be ten times.
        var allocated = await AllocatedAsync() - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{allocated >> 20} MiB allocated for {VeryLarge >> 20} MiB");
        Assert.InRange(allocated, 0, 5L * VeryLarge);
    }

    [Fact(Timeout = 120_000)]
    public async Task They_are_on_disk_with_the_answer_and_nothing_else_is_left_of_a_life_that_was_killed()
    {
        var data = ServerProcess.NewDataDirectory();
        var text = Text(Large);
        string id;
        await using (var first = await StartAsync(data))
        {
            Assert.Equal(HttpStatusCode.OK, (await first.Api.PostAsync("/jobs/p-measures/pause", null)).Status);
            id = await first.Api.StartAsync("p-measures", new { text });
            await first.KillAsync();
        }
        // As they are when the life ends between the run's record and its folder; and what belongs to nobody.
        var incoming = Path.Combine(data, "data", "incoming");
        var file = Directory.GetFiles(data, "parameters.json", SearchOption.AllDirectories).Single();
        File.Move(file, Path.Combine(incoming, $"{id}.json"));
        await File.WriteAllTextAsync(Path.Combine(incoming, $"{Guid.CreateVersion7()}.json"), "{}", ApiClient.Token);
        await File.WriteAllTextAsync(Path.Combine(incoming, "upload-1"), "{", ApiClient.Token);

        await using var second = await StartAsync(data);
        Assert.Empty(Directory.GetFiles(incoming));
        await second.Api.PostAsync("/jobs/p-measures/resume", null);

        IsMeasured(text, await second.Api.EndAsync(id));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_run_whose_parameters_were_changed_on_disk_fails_and_says_so()
    {
        await using var own = await StartAsync(ServerProcess.NewDataDirectory());
        await own.Api.PostAsync("/jobs/measures/pause", null);
        var id = await own.Api.StartAsync(
            "measures",
            new { text = Text(Large) },
            new { retry = new { maxAttempts = 1 } }
        );
        var file = Directory.GetFiles(own.DataDirectory, "parameters.json", SearchOption.AllDirectories).Single();
        await File.WriteAllTextAsync(
            file,
            (await File.ReadAllTextAsync(file, ApiClient.Token))[..^10] + "xxxxxxxx\"}",
            ApiClient.Token
        );
        await own.Api.PostAsync("/jobs/measures/resume", null);

        var run = await own.Api.EndAsync(id);

        Assert.Equal("failed", run.Text("state"));
        Assert.Contains("no longer what they were", run.Text("error", "message"), StringComparison.Ordinal);
    }

    private static void IsMeasured(string text, JsonElement run)
    {
        Assert.True(run.Text("state") == "succeeded", $"{run}");
        Assert.Equal($"{text.Length}", run.Text("result", "length"));
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))),
            run.Text("result", "sha256")
        );
    }

    private static string Text(int length) => Convert.ToHexString(RandomNumberGenerator.GetBytes(length / 2));

    private static string Incoming(ServerProcess process) => Path.Combine(process.DataDirectory, "data", "incoming");

    /// <summary>What the server's process has allocated on its heap since it began.</summary>
    private async Task<long> AllocatedAsync()
    {
        var metrics = (await api.FetchAsync("/metrics")).Text;
        var line = metrics
            .Split('\n')
            .First(line => line.StartsWith("dotnet_gc_heap_total_allocated", StringComparison.Ordinal));
        return (long)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private static Task<ServerProcess> StartAsync(string data) =>
        ServerProcess.StartAsync(
            data,
            null,
            [
                "--JobHost:Http:MaxParametersBytes",
                $"{Limit}",
                .. Commands
                    .Script("echoes", "echo $1")
                    .SelectMany(setting => new[] { $"--{setting.Key}", setting.Value }),
            ]
        );

    public sealed class Server : IAsyncLifetime
    {
        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await StartAsync(ServerProcess.NewDataDirectory());

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
