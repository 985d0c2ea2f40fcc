using System.Buffers;
using System.Text.Json;
using JobHost.Control;
using JobHost.Worker.Bodies;
using Microsoft.AspNetCore.Http.Features;

namespace JobHost.Server.Http;

/// <summary>Marks what may be sent parameters that are larger than other bodies.</summary>
internal sealed class TakesLargeParameters;

/// <summary>The parameters of this request, which lie in a file.</summary>
/// <param name="Json">Good until the request is over.</param>
internal sealed record ReceivedParameters(JsonElement Json);

/// <summary>
/// Takes the large parameters out of a start as it comes: the body goes to a file that has no other use, the parameters are
/// read where they lie in it, and what is left of the body is read as every other one. So however large they are, none of it
/// is on the heap.
/// </summary>
internal sealed class LargeStarts(RequestDelegate next, ServerOptions options, JobRegistry registry)
{
    private const int MaxDepth = 32;
    private readonly int small = options.Http.MaxRequestBodyBytes;
    private readonly int large = options.Http.MaxParametersBytes;

    public Task InvokeAsync(HttpContext context) =>
        large > small
        && context.GetEndpoint()?.Metadata.GetMetadata<TakesLargeParameters>() is not null
        && !(context.Request.ContentLength <= small)
        && context.Request.HasJsonContentType()
            ? TakeAsync(context)
            : next(context);

    private async Task TakeAsync(HttpContext context)
    {
        var request = context.Request;
        var limit = (long)large + small;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limit;
        }
        await using var file = registry.CreateUpload();
        await request.Body.CopyToAsync(file, context.RequestAborted);
        if (file.Length > limit)
        {
            throw new BadHttpRequestException("The body is too large.", StatusCodes.Status413PayloadTooLarge);
        }
        if (file.Length == 0)
        {
            await next(context);
            return;
        }
        using var json = Parse(file);
        var rest = new ArrayBufferWriter<byte>();
        if (Split(json.Root, rest) is { } parameters)
        {
            context.Features.Set(new ReceivedParameters(parameters));
        }
        if (rest.WrittenCount > small)
        {
            throw new BadHttpRequestException("The body is too large.", StatusCodes.Status413PayloadTooLarge);
        }
        request.Body = new MemoryStream(rest.WrittenSpan.ToArray());
        request.ContentLength = rest.WrittenCount;
        await next(context);
    }

    private static MappedJson Parse(FileStream file)
    {
        try
        {
            return MappedJson.Open(file.SafeFileHandle, MaxDepth);
        }
        catch (JsonException problem)
        {
            throw new BadHttpRequestException(
                "The body is not valid JSON.",
                StatusCodes.Status400BadRequest,
                new JsonException(problem.Message, problem)
            );
        }
    }

    /// <summary>Writes all but the parameters, whatever it is: it is judged as every other body.</summary>
    private static JsonElement? Split(JsonElement root, ArrayBufferWriter<byte> rest)
    {
        JsonElement? found = null;
        using var json = new Utf8JsonWriter(rest);
        if (root.ValueKind != JsonValueKind.Object)
        {
            // No start is anything else, so that there is nothing to keep of it.
            json.WriteStartArray();
            json.WriteEndArray();
            return null;
        }
        json.WriteStartObject();
        foreach (var property in root.EnumerateObject())
        {
            if (property.NameEquals("parameters"u8))
            {
                found = property.Value;
            }
            else
            {
                property.WriteTo(json);
            }
        }
        json.WriteEndObject();
        return found;
    }
}
