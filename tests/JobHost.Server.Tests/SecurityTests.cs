using JobHost.Server.Tests.Support;
using Microsoft.Data.Sqlite;

namespace JobHost.Server.Tests;

/// <summary>What keeps strangers out: other machines, other sites, forged headers, and what an error might tell them.</summary>
public sealed class SecurityTests
{
    [Theory(Timeout = 90_000)]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://[::]:0")]
    [InlineData("http://*:0")]
    [InlineData("http://+:0")]
    [InlineData("http://example.org:0")]
    [InlineData("http://127.0.0.1:0;http://0.0.0.0:0")]
    public async Task An_address_that_others_can_reach_is_refused(string urls)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(arguments: ["--urls", urls]);

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains("JobHost:Security:AllowAnonymous", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Theory(Timeout = 90_000)]
    [InlineData("ASPNETCORE_URLS", "http://0.0.0.0:0")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "0")]
    [InlineData("Kestrel__Endpoints__Open__Url", "http://0.0.0.0:0")]
    public async Task No_other_way_to_name_an_address_is_a_way_around(string variable, string value)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(new Dictionary<string, string> { [variable] = value });

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains("JobHost:Security:AllowAnonymous", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 90_000)]
    public async Task Said_in_plain_words_it_listens_for_others_too()
    {
        await using var server = await ServerProcess.StartAsync(
            settings: ["--urls", "http://0.0.0.0:0", "--JobHost:Security:AllowAnonymous=true"]
        );
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{server.Address.Port}") };

        Assert.Equal(
            200,
            (await new ApiClient(client).FetchAsync("/healthz/ready", ("Host", "jobs.example.org"))).Status
        );
    }

    [Theory(Timeout = 90_000)]
    [InlineData("ASPNETCORE_FORWARDEDHEADERS_ENABLED")]
    [InlineData("DOTNET_FORWARDEDHEADERS_ENABLED")]
    public async Task Trust_in_anybodys_forwarded_headers_is_refused(string variable)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(new Dictionary<string, string> { [variable] = "true" });

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains("JobHost:Proxy:KnownNetworks", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 90_000)]
    public async Task Forwarded_headers_of_strangers_are_passed_over()
    {
        await using var server = await ServerProcess.StartAsync();

        var by = await CancelAsync(server.Api, ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Prefix", "/evil"));

        Assert.Equal("anonymous from 127.0.0.1", by);
        var forged = await server.Api.FetchAsync("/api/v1/jobs", ("X-Forwarded-Host", "evil.example"));
        Assert.Equal(200, forged.Status);
    }

    [Fact(Timeout = 90_000)]
    public async Task Forwarded_headers_of_the_known_proxy_are_believed_by_one_hop()
    {
        await using var server = await ServerProcess.StartAsync(
            settings: ["--JobHost:Proxy:KnownNetworks:0=127.0.0.0/8"]
        );

        var by = await CancelAsync(server.Api, ("X-Forwarded-For", "198.51.100.1, 203.0.113.9"));

        Assert.Equal("anonymous from 203.0.113.9", by);
    }

    [Theory(Timeout = 90_000)]
    [InlineData("JobHost:Proxy:KnownNetworks:0=everybody", "KnownNetworks")]
    [InlineData("JobHost:PathBase=jobs/", "PathBase")]
    [InlineData("JobHost:Http:MaxRequestBodyBytes=1", "MaxRequestBodyBytes")]
    [InlineData("JobHost:Storage=paper", "Storage")]
    [InlineData("JobHost:Slots:Process=0", "Process")]
    [InlineData("JobHost:Shutdown:Timeout=soon", "Timeout")]
    [InlineData("JobHost:Node:Name=", "Name")]
    public async Task A_setting_that_cannot_work_is_refused_by_its_name(string setting, string key)
    {
        var (exitCode, output) = await ServerProcess.RunAsync(arguments: [$"--{setting}"]);

        Assert.True(exitCode == JobHostServer.ExitConfiguration, $"{exitCode}: {output}");
        Assert.Contains(key, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_failure_inside_tells_the_client_nothing_of_the_inside()
    {
        await using var server = new InProcessServer();
        var id = (await server.Api.RunAsync("result")).GetProperty("id").GetString()!;
        var before = Guid.Parse(id).ToByteArray(bigEndian: true);
        await using (
            var connection = new SqliteConnection(
                $"Data Source={Assert.Single(Directory.GetFiles(server.DataDirectory, "*.db"))};Pooling=False"
            )
        )
        {
            await connection.OpenAsync(ApiClient.Token);
            await using var spoil = connection.CreateCommand();
            spoil.CommandText = "UPDATE run SET document = '/etc/secret-path {' WHERE id = $id";
            spoil.Parameters.AddWithValue("$id", before);
            Assert.Equal(1, await spoil.ExecuteNonQueryAsync(ApiClient.Token));
        }

        var answer = await server.Api.FetchAsync($"/api/v1/runs/{id}");

        answer.ExpectProblem(500, "internal-error");
        foreach (
            var inside in new[] { "   at ", "Exception", "Json", "secret-path", server.DataDirectory, ".cs", "SELECT" }
        )
        {
            Assert.DoesNotContain(inside, answer.Text, StringComparison.Ordinal);
        }
    }

    private static async Task<string?> CancelAsync(ApiClient api, params (string, string)[] headers)
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");
        (await api.SubmitAsync($"/api/v1/runs/{id}/cancel", null, headers)).Expect(202);
        await api.EndAsync(id);
        return (await api.TerminationAsync(id)).GetProperty("requests")[0].GetProperty("by").GetString();
    }

    [Theory(Timeout = 120_000)]
    [InlineData("/api/v1/jobs", "default-src 'none'")]
    [InlineData("/api/v1/runs/none", "default-src 'none'")]
    [InlineData("/healthz/live", "default-src 'none'")]
    [InlineData("/swagger/index.html", "default-src 'self'")]
    public async Task No_answer_may_be_framed_guessed_at_or_load_from_elsewhere(string path, string policy)
    {
        await using var server = new InProcessServer();

        var answer = await server.Api.FetchAsync(path);

        Assert.StartsWith(policy, answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.EndsWith("frame-ancestors 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("DENY", answer.Header("X-Frame-Options"));
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
    }
}
