using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Requests that say a little less than another.</summary>
internal static class Shrinking
{
    internal static IEnumerable<FuzzRequest> Smaller(FuzzRequest request)
    {
        foreach (var header in request.Headers)
        {
            yield return request with
            {
                Headers = [.. request.Headers.Where(one => one != header)],
            };
        }
        // Of a request that would end the server, the parameter that keeps it from doing so stays.
        for (var i = 0; i < request.Query.Count && request.Operation.Id != "RecycleNode"; i++)
        {
            var at = i;
            yield return request with
            {
                Query = [.. request.Query.Where((_, place) => place != at)],
            };
        }
        if (request.Body is null)
        {
            yield break;
        }
        if (!request.Operation.IsBodyRequired)
        {
            yield return request with
            {
                Body = null,
            };
        }
        foreach (var body in Smaller(request.Body))
        {
            yield return request with
            {
                Body = body,
            };
        }
    }

    private static List<byte[]> Smaller(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body) is JsonObject members
                ? [.. members.Select(member => Encoding.UTF8.GetBytes(Without(members, member.Key).ToJsonString()))]
                : [];
        }
        catch (Exception noTree) when (noTree is JsonException or ArgumentException or InvalidOperationException)
        {
            // What is no JSON, no text, or names a property twice stays as it is.
            return [];
        }
    }

    private static JsonObject Without(JsonObject members, string name)
    {
        var fewer = (JsonObject)members.DeepClone();
        fewer.Remove(name);
        return fewer;
    }
}
