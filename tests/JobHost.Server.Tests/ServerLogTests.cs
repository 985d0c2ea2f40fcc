using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>The service's own log: what strangers write can neither forge an entry nor drive a terminal.</summary>
public sealed class ServerLogTests
{
    private const string Forged = "00:00:00.000 [INF] Everything is well.";

    [Fact(Timeout = 120_000)]
    public async Task What_strangers_write_stays_within_its_entry()
    {
        await using var server = await ServerProcess.StartAsync();
        var api = server.Api;
        var nasty = $"x\r\n{Forged}\u001b[2J\u202e\u2028\u0085\u0000end";
        var escaped = Uri.EscapeDataString(nasty.Replace("\0", "", StringComparison.Ordinal));

        await api.FetchAsync($"/api/v1/jobs/{escaped}");
        await api.FetchAsync($"/api/v1/runs/{escaped}?pageSize={escaped}");
        await api.FetchAsync($"/api/v1/runs?pageSize={escaped}");
        await api.FetchAsync($"/api/v1/runs?since={escaped}&order={escaped}");
        await api.CallAsync(new HttpMethod("NASTY"), $"/{escaped}", null);
        await api.SubmitAsync($"/api/v1/jobs/{escaped}/runs", new { uniqueKey = nasty });
        await api.SubmitAsync("/api/v1/jobs/obeys/runs", $"{{ \"{escaped}\u001b\n{Forged}\": 1 }}");
        await api.SubmitAsync($"/api/v1/nodes/{escaped}/drain", new { reason = nasty });
        var id = await api.StartAsync("obeys");
        await api.SubmitAsync($"/api/v1/runs/{id}/kill", new { reason = nasty });
        await api.SubmitAsync($"/api/v1/runs/{id}/kill", new { reason = "\u202ewell\u200f" });
        await api.EndAsync(id);
        Assert.Equal(0, await server.TerminateAsync());

        var file = await File.ReadAllTextAsync(
            Assert.Single(Directory.GetFiles(Path.Combine(server.DataDirectory, "data", "logs"))),
            ApiClient.Token
        );
        foreach (var text in new[] { server.Output, file })
        {
            Assert.DoesNotContain(text.Split('\n'), line => line.StartsWith(Forged, StringComparison.Ordinal));
            Assert.DoesNotContain(
                text,
                letter => letter is '\u001b' or '\u202e' or '\u2028' or '\u0085' or '\0' or '\u200f'
            );
            Assert.Contains(
                "\\u000d\\u000a" + Forged + "\\u001b[2J\\u202e\\u2028\\u0085end",
                text,
                StringComparison.Ordinal
            );
        }
    }
}
