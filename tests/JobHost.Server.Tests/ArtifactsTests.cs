using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>What runs leave: results of any size, and files, of which none leads out of the run's folder.</summary>
public sealed class ArtifactsTests : IDisposable
{
    private const string Secret = "not for anybody";
    private static readonly int Looks = int.Parse(Environment.GetEnvironmentVariable("JOBHOST_LOOKS") ?? "1000");

    private const string Leaves = """
        cd "$JOBHOST_ARTIFACTS"
        printf 'plain text' > plain.txt
        mkdir -p 'deep/Grüße und mehr'
        head -c 100000 /dev/zero > 'deep/Grüße und mehr/zero.bin'
        ln -s "$1" link
        ln "$1" hard
        ln -s / root
        mkfifo fifo
        mkdir loop; ln -s .. loop/up
        """;

    private readonly string outside = Path.Combine(Leaks.Folder, $"outside-{Guid.NewGuid():N}");
    private readonly InProcessServer server = new(
        new(
            Commands
                .Script("leaves", Leaves)
                .Concat(
                    Commands.Script(
                        "swaps",
                        """
                        cd "$JOBHOST_ARTIFACTS"; mkdir real; printf mine > real/file; ln -s "$(dirname "$1")" evil
                        mv real turn; echo > ready
                        while :; do mv turn real; mv evil turn; mv turn evil; mv real turn; done
                        """
                    )
                )
        )
    );
    private readonly ApiClient api;

    public ArtifactsTests()
    {
        Needs.Linux();
        File.WriteAllText(outside, Secret);
        api = server.Api;
    }

    public void Dispose() => server.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task Parts_are_sent_where_there_are_such_and_files_only_as_they_were_seen()
    {
        var id = (await api.RunAsync("leaves", new { argument = outside })).Text("id");
        var large = await api.RunAsync("p-huge-result", new { bytes = 200_000 });
        var file = $"/api/v1/runs/{id}/artifacts/plain.txt";
        var result = $"/api/v1/runs/{large.Text("id")}/result";

        var part = await api.FetchAsync(result, ("Range", "bytes=0-9"));
        Assert.Equal((206, 10), (part.Status, part.Text.Length));
        foreach (var url in new[] { file, result })
        {
            Assert.Equal(416, (await api.FetchAsync(url, ("Range", "bytes=900000-"))).Status);
        }
        Assert.Equal(412, (await api.FetchAsync(file, ("If-Match", "\"other\""))).Status);
    }

    [Fact(Timeout = 120_000)]
    public async Task Files_are_listed_with_checksums_and_downloaded_whole_or_in_parts()
    {
        var id = (await api.RunAsync("leaves", new { argument = outside })).Text("id");

        var items = (await api.FetchAsync($"/api/v1/runs/{id}/artifacts")).Expect(200).GetProperty("items");

        Assert.Equal(
            [("deep/Grüße und mehr/zero.bin", 100_000), ("plain.txt", 10)],
            items.EnumerateArray().Select(item => (item.Text("path"), item.GetProperty("bytes").GetInt32()))
        );
        var sha = Convert.ToHexStringLower(SHA256.HashData("plain text"u8));
        Assert.Equal(sha, items[1].Text("sha256"));
        var whole = await api.FetchAsync($"/api/v1/runs/{id}/artifacts/plain.txt");
        Assert.Equal("plain text", whole.Text);
        Assert.Equal("application/octet-stream", whole.MediaType);
        Assert.Equal($"\"{sha}\"", whole.Header("ETag"));
        Assert.StartsWith("attachment", whole.Header("Content-Disposition"), StringComparison.Ordinal);
        Assert.Equal(
            Convert.ToBase64String(SHA256.HashData("plain text"u8)),
            whole.Header("Repr-Digest")!.Split(':')[1]
        );
        var part = await api.FetchAsync($"/api/v1/runs/{id}/artifacts/plain.txt", ("Range", "bytes=6-"));
        Assert.Equal((206, "text"), (part.Status, part.Text));
        var known = await api.FetchAsync($"/api/v1/runs/{id}/artifacts/plain.txt", ("If-None-Match", $"\"{sha}\""));
        Assert.Equal(304, known.Status);
        var deep = await api.Client.GetByteArrayAsync(
            $"/api/v1/runs/{id}/artifacts/deep/{Uri.EscapeDataString("Grüße und mehr")}/zero.bin",
            ApiClient.Token
        );
        Assert.Equal(new byte[100_000], deep);
    }

    [Fact(Timeout = 120_000)]
    public async Task No_path_and_no_link_leads_out_of_the_folder()
    {
        var id = (await api.RunAsync("leaves", new { argument = outside })).Text("id");

        foreach (
            var path in new[]
            {
                "link",
                "hard",
                "fifo",
                "deep",
                "root/etc/passwd",
                "loop/up/plain.txt",
                "..%2fstdout.log",
                "..%2f..%2f..%2f..%2fjobhost.db",
                "%2fetc%2fpasswd",
                "/etc/passwd",
                "deep%2f..%2f..%2fwork",
                "./plain.txt%2f",
                "none",
            }
        )
        {
            var answer = await api.FetchAsync($"/api/v1/runs/{id}/artifacts/{path}");
            Assert.True(answer.Status is 404 or 400, $"{path}: {answer.Status} {answer.Text}");
            Assert.DoesNotContain(Secret, answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("root:", answer.Text, StringComparison.Ordinal);
        }
        (await api.FetchAsync($"/api/v1/runs/{Guid.NewGuid()}/artifacts")).ExpectProblem(404, "unknown-run");
        (await api.FetchAsync($"/api/v1/runs/{Guid.NewGuid()}/artifacts/x")).ExpectProblem(404, "unknown-run");
        (await api.FetchAsync($"/api/v1/runs/{id}/result")).ExpectProblem(404, "no-result");
    }

    [Fact(Timeout = 600_000)]
    public async Task A_folder_that_is_exchanged_while_it_is_read_leads_nowhere_else()
    {
        var id = await api.StartAsync("swaps", new { argument = outside });
        await Poll.UntilAsync(
            async () => (await ListAsync(id)).Contains("ready", StringComparer.Ordinal) ? null : "not ready",
            "the exchange to begin"
        );
        var name = Path.GetFileName(outside);
        var mine = 0;

        for (var look = 0; look < Looks; look++)
        {
            var inside = await api.FetchAsync($"/api/v1/runs/{id}/artifacts/turn/file");
            mine += inside.Text == "mine" ? 1 : 0;
            (await api.FetchAsync($"/api/v1/runs/{id}/artifacts/turn/{name}")).ExpectProblem(404);
            if (look % 20 == 0)
            {
                Assert.DoesNotContain(await ListAsync(id), path => path.Contains(name, StringComparison.Ordinal));
            }
        }

        Assert.InRange(mine, 1, Looks);
        await api.StopAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("huge-result")]
    [InlineData("lane-huge-result")]
    [InlineData("p-huge-result")]
    public async Task A_result_that_is_too_large_for_the_document_is_downloaded(string job)
    {
        const int Size = 4 * 1024 * 1024;
        var run = await api.RunAsync(job, new { bytes = Size });

        Assert.Equal("succeeded", run.Text("state"));
        Assert.Equal(JsonValueKind.Null, run.GetProperty("result").ValueKind);
        Assert.Equal($"{Size + 11}", run.Text("resultFileBytes"));
        var result = await api.FetchAsync(run.Text("links", "result"));
        Assert.Equal(Size, result.Expect(200).Text("text").Length);
        using var request = new HttpRequestMessage(HttpMethod.Get, run.Text("links", "result"));
        request.Headers.Range = new RangeHeaderValue(0, 8);
        using var part = await api.Client.SendAsync(request, ApiClient.Token);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal("{\"text\":\"", await part.Content.ReadAsStringAsync(ApiClient.Token));
        var small = await api.RunAsync(job, new { bytes = 3 });
        Assert.Equal("xxx", small.Text("result", "text"));
        Assert.Equal("""{"text":"xxx"}""", (await api.FetchAsync(small.Text("links", "result"))).Text);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_result_of_256_MiB_passes_the_host_by()
    {
        const long Size = 256L << 20;
        await using var own = await ServerProcess.StartAsync();
        await own.Api.RunAsync("p-long-result", new { bytes = 1 << 20 });
        var before = Peak(own.Pid);

        var run = await own.Api.RunAsync("p-long-result", new { bytes = Size });

        Assert.True(long.Parse(run.Text("resultFileBytes")) >= Size, run.ToString());
        using var response = await own.Api.Client.GetAsync(
            run.Text("links", "result"),
            HttpCompletionOption.ResponseHeadersRead,
            ApiClient.Token
        );
        await using var stream = await response.Content.ReadAsStreamAsync(ApiClient.Token);
        var buffer = new byte[1 << 16];
        var (length, count) = (0L, 0);
        while ((count = await stream.ReadAsync(buffer, ApiClient.Token)) > 0)
        {
            length += count;
        }
        Assert.Equal(run.Text("resultFileBytes"), $"{length}");
        Assert.InRange(Peak(own.Pid) - before, 0, Size / 4);
    }

    private async Task<List<string>> ListAsync(string id) =>
        [
            .. (await api.FetchAsync($"/api/v1/runs/{id}/artifacts"))
                .Expect(200)
                .GetProperty("items")
                .EnumerateArray()
                .Select(item => item.Text("path")),
        ];

    /// <summary>The most memory that a process ever had, in bytes.</summary>
    private static long Peak(int pid) =>
        long.Parse(
            File.ReadLines($"/proc/{pid}/status")
                .First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]
        ) * 1024;
}
